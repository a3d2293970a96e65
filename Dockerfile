# A model that `export` wrote, answering over HTTP:
#   make export ARGS="run=airline@champion out=exports/airline onnx=false"
#   docker build -t lookback .
#   docker run --rm -p 127.0.0.1:5001:5001 -v "$PWD/exports/airline/bundle:/model:ro" lookback
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 MLFLOW_DISABLE_TELEMETRY=true
WORKDIR /lookback

# The locked versions first: they change less often than the code. Build tools come before what is built with them.
COPY requirements.lock ./
RUN awk '/^[a-z]/ {keep = /^(packaging|setuptools|wheel)==/} keep' requirements.lock > build.lock \
    && pip install --require-hashes --no-deps -r build.lock \
    && pip install --require-hashes --no-deps --no-build-isolation -r requirements.lock \
    && rm build.lock

COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY conf conf
COPY data data
COPY pipelines pipelines
RUN pip install --no-deps --no-build-isolation -e . && useradd --create-home --uid 1000 lookback

USER lookback
EXPOSE 5001
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:5001/health'))"]
ENTRYPOINT ["python", "pipelines/serve.py", "bundle=/model", "host=0.0.0.0"]
