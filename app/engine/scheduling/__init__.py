"""Admit pictures, queue them fairly, and run them in batches."""
