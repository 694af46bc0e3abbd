"""Export: the rewritten ONNX graphs, their parity with torch, and bundles."""
