"""The screen: a Textual application over an `EnginePort`."""
