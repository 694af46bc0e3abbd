"""Identify clients and limit their rates: API keys, addresses, token buckets."""
