# The shop as an image: `docker build -t flaskart .`

FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/flaskart \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv
WORKDIR /build
# Dependencies first: this layer stays as long as the lock file does.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --extra postgres --no-install-project
COPY README.md LICENSE ./
COPY src src
RUN uv sync --locked --no-dev --extra postgres --no-editable

FROM python:3.13-slim
RUN groupadd --gid 10001 flaskart \
    && useradd --uid 10001 --gid 10001 --home-dir /shop --no-create-home --shell /usr/sbin/nologin flaskart \
    && install -d -o flaskart -g flaskart -m 0700 /shop/instance
COPY --from=build /opt/flaskart /opt/flaskart
ENV PATH=/opt/flaskart/bin:$PATH \
    PYTHONUNBUFFERED=1
WORKDIR /shop
USER 10001:10001
# The secret and the SQLite database, where neither is given by FLASKART_SECRET_KEY and FLASKART_DATABASE_URL.
VOLUME /shop/instance
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# All addresses of the container's own network; what is reachable from outside is what is published.
CMD ["sh", "-c", "flaskart init && exec flaskart serve --host 0.0.0.0 --port 8000"]
