"""The mistakes in an ONNX file or in the options that describe it."""


class WrapError(ValueError):
    """The model cannot be made a bundle. The message is a sentence with the remedy."""
