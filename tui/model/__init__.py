"""The nouns: frozen values and pure functions over them; standard library only, no I/O, no clock."""
