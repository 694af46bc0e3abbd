# The service with the bundles it ships: no torch, no compiler, no root.
#   docker build -t ugatit .
#   docker build -t ugatit:cuda --build-arg EXTRA=cuda .      with the CUDA libraries from wheels, x86-64 only
#   docker build -t ugatit:cluster --build-arg EXTRA=cluster .      with Ray, for several machines
# Any Debian-based image with Python 3.11 or newer as `python` works; the locks are made for this one.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG EXTRA=""
WORKDIR /build
# Copy only the locks first, so that a change of our code does not reinstall the packages.
COPY docker/requirements*.lock ./
# pip itself is not installed into the environment, so it is not part of the image. Only wheels, because there
# is no compiler. pip refuses a wheel whose hash is not in the lock.
RUN lock="requirements${EXTRA:+-$EXTRA}.lock" \
    && if [ ! -f "$lock" ]; then echo "Unknown EXTRA '$EXTRA': use EXTRA=cuda or EXTRA=cluster, or leave it out." >&2; exit 1; fi \
    && python -m venv --without-pip /opt/ugatit \
    && python -m pip --python /opt/ugatit/bin/python --disable-pip-version-check \
       install --no-cache-dir --only-binary :all: --require-hashes --requirement "$lock"
COPY bundles /bundles
WORKDIR /srv/ugatit
COPY LICENSE ./
COPY docker/ugatit docker/healthcheck.py ./docker/
COPY models ./models
COPY app ./app
# Compile now, because the root file system may be read-only at run time. Make everything readable to the
# image's user, also if the clone was made with a strict umask.
RUN python -m compileall -q --invalidation-mode unchecked-hash app models && chmod -R a+rX,go-w /srv/ugatit /bundles

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="ugatit" \
      org.opencontainers.image.description="U-GAT-IT image-to-image translation with heat maps." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/ugatit /opt/ugatit
# Mount your own bundles on this path, read-only, to replace the shipped ones.
COPY --from=build /bundles /srv/ugatit/bundles
COPY --from=build /srv/ugatit /srv/ugatit
RUN ln -s /srv/ugatit/docker/ugatit /usr/local/bin/ugatit
WORKDIR /srv/ugatit
# Listen on every address: 127.0.0.1 inside a container cannot be reached from outside. The host decides which
# ports it publishes. The user has no home directory, so HOME is the directory that stays writable.
ENV PATH=/opt/ugatit/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/srv/ugatit \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    UGATIT_HOST=0.0.0.0 \
    UGATIT_PORT=8000 \
    UGATIT_BUNDLES_DIR=/srv/ugatit/bundles
# A number, because an orchestrator can verify that it is not root.
USER 10001:10001
EXPOSE 8000
# The server finishes the admitted pictures within 40 s: allow it 50 (docker stop --time 50).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "/srv/ugatit/docker/healthcheck.py", "/readyz"]
# Exec form, so that signals reach the server and not a shell.
ENTRYPOINT ["ugatit"]
CMD ["serve"]
