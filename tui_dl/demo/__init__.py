"""The demonstration server: files of every temper on loopback, without any internet."""
