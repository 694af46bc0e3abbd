"""Identify clients: API keys, addresses, request rates."""
