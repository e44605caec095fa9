# The service in a container: slim, not root, nothing written but to /tmp, no network at run time.
#
#   docker build -t classifier .
#   docker run --init --read-only --tmpfs /tmp --stop-timeout 130 -p 127.0.0.1:8000:8000 -e CLASSIFIER_TOKEN classifier

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY classifier classifier
COPY models models
RUN python -m venv /opt/classifier \
    && /opt/classifier/bin/pip install --no-cache-dir --disable-pip-version-check --compile ".[service]"

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="classifier" \
      org.opencontainers.image.licenses="Apache-2.0"
# Byte code is there from the build; a read-only file system takes no more.
ENV PATH=/opt/classifier/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/classifier /opt/classifier
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); c.request('GET', '/health/ready'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["classify"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
