# The server as an image. It runs as a user without rights on a file system that cannot be written; state, log and keys
# have volumes. Settings are a file that you mount: OPERATIONS.md has one, CONFIGURATION.md all of them.
#
#   docker build --tag pluis:0.1.0 .
#
# A tag may change under your feet: give the base by its digest, --build-arg PYTHON=python@sha256:...
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
# The compiler stays behind; its version is the base's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# As in the Makefile: durable_rules calls a function that Python 3.13 removed; its build reads CPPFLAGS only.
ENV CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1
# Everything that is fetched is checked by hash here, once; the lock has the developers' tools too, and these stay here.
COPY requirements-build.lock requirements.lock ./
RUN python -m venv tools \
    && tools/bin/pip install --require-hashes -r requirements-build.lock \
    && tools/bin/pip wheel --require-hashes --no-build-isolation --no-deps --wheel-dir wheels -r requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY engine engine
# From those files alone (--no-index): what pluis needs, and nothing else of the lock.
ARG EXTRAS=traces
RUN tools/bin/pip wheel --no-index --no-build-isolation --no-deps --wheel-dir wheels . \
    && python -m venv --without-pip /pluis \
    && tools/bin/pip --python /pluis/bin/python install --no-index -f wheels "pluis[${EXTRAS}]"

FROM ${PYTHON}
ENV PATH=/pluis/bin:${PATH} \
    PLUIS_CONFIG=/etc/pluis/pluis.toml \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /pluis /pluis
COPY rulesets /usr/share/pluis/rulesets
# The only places that are written. Keys lie apart from the log: who has both can rewrite it unseen.
RUN install -d -m 0700 -o 10001 -g 10001 /var/lib/pluis/state /var/lib/pluis/log /var/lib/pluis/keys
VOLUME ["/var/lib/pluis/state", "/var/lib/pluis/log", "/var/lib/pluis/keys"]
WORKDIR /var/lib/pluis
USER 10001:10001
EXPOSE 50051 9464
# Asks the operators' port, so the settings need `operations_port = 9464`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/readyz', timeout=4)"]
ENTRYPOINT ["pluis"]
CMD ["serve"]
