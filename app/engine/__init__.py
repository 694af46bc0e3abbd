"""The engine: verified translators behind bounded admission, without HTTP."""
