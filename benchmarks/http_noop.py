"""The floor of `benchmarks.http`: a BentoML service that does nothing, asynchronously."""

import bentoml


@bentoml.service(name="Noop", workers=1)
class Noop:
    """Echoes a ticker."""

    @bentoml.api(route="/signal")
    async def signal(self, ticker: str) -> str:
        """Return what was asked."""
        return ticker
