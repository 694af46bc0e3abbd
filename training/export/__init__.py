"""The rewritten ONNX graph, its parity with torch, and the writing of bundles."""
