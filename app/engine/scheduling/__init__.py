"""Admit pictures, queue them fairly, run them in batches."""
