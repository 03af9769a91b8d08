# syntax=docker/dockerfile:1
# Stage 1: build the wheel and an environment that holds it.
FROM python:3.11-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir build
COPY pyproject.toml README.md CHANGELOG.md ./
COPY safeconvert safeconvert
COPY adapters adapters
COPY configs configs
RUN python -m build --wheel --outdir /dist
RUN python -m venv /opt/safeconvert && /opt/safeconvert/bin/pip install --no-cache-dir /dist/*.whl

# Stage 2: the environment alone, as a user without rights.
FROM python:3.11-slim
RUN useradd --create-home --uid 10001 safeconvert
COPY --from=build /opt/safeconvert /opt/safeconvert
ENV PATH=/opt/safeconvert/bin:$PATH
USER safeconvert
WORKDIR /home/safeconvert
ENTRYPOINT ["safeconvert"]
CMD ["--help"]
