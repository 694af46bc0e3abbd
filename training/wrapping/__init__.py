"""Make a bundle of any image translator that exists as ONNX."""
