"""The leak test's parts: what a company wrote is read (`lines`, `rows`), measured (`features`) and judged (`judging`)."""
