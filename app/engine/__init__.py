"""The engine: verified translators behind bounded admission; it knows no HTTP."""
