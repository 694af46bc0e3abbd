"""Map exceptions to RFC 9457 problems."""
