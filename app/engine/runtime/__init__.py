"""Open models in onnxruntime: which provider, which precision, which devices."""
