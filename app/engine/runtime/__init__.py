"""Open models in onnxruntime: choose the provider, the precision and the devices."""
