"""Rules without input and output: no asyncio, no sockets, no files, no clock."""
