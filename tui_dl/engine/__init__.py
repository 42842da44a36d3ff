"""The engine: asyncio and aiohttp, from a queue of tasks to committed files."""
