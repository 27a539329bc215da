"""The tests; each folder or file is named after what it tests."""
