"""The console. The only importer of Textual and rich; holds a session and draws its reports."""
