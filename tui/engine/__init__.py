"""The only mutable state and the only threads: observe, apply, record. Knows ports, never an adapter."""
