"""Find faces in photos, turn them upright and frame them, with numpy, Pillow and onnxruntime."""
