# One image for every service: the locked packages, then the project.
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 optrade
WORKDIR /app
COPY pyproject.toml requirements.lock README.md ./
RUN pip install --no-cache-dir uv==0.13.9 \
    && uv pip install --system --no-cache --require-hashes --compile-bytecode -r requirements.lock
COPY --chown=optrade:optrade . .
RUN uv pip install --system --no-cache --no-deps --no-build-isolation --editable . \
    && mkdir -p /home/optrade/home && chown optrade:optrade /home/optrade/home
USER optrade
ENV OPTRADE_HOME=/home/optrade/home \
    PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=1 \
    BENTOML_DO_NOT_TRACK=True \
    MLFLOW_DISABLE_TELEMETRY=true
ENTRYPOINT ["optrade"]
CMD ["--help"]
