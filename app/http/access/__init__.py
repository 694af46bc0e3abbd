"""ApiKeyMiddleware clients: API keys, addresses, request rates."""
