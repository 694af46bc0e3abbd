# The service with the bundles it ships: no torch, no compiler, no root.
#   docker build -t ugatit .
#   docker build -t ugatit:cuda --build-arg EXTRA=cuda .      with CUDA's libraries from wheels, x86-64 only
# Any Debian-like base with Python 3.11 or newer as `python` will do; this is the one the locks are made for.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG EXTRA=""
WORKDIR /build
# The locks alone first: a change of our code does not install anything again.
COPY docker/requirements*.lock ./
# pip stays outside the environment it fills, so that it does not travel into the image. Wheels only: there is
# no compiler. A wheel whose hash the lock does not hold is refused.
RUN lock="requirements${EXTRA:+-$EXTRA}.lock" \
    && if [ ! -f "$lock" ]; then echo "There is no extra '$EXTRA': use EXTRA=cuda, or leave it out." >&2; exit 1; fi \
    && python -m venv --without-pip /opt/ugatit \
    && python -m pip --python /opt/ugatit/bin/python --disable-pip-version-check \
       install --no-cache-dir --only-binary :all: --require-hashes --requirement "$lock"
COPY bundles /bundles
WORKDIR /srv/ugatit
COPY LICENSE ./
COPY docker/ugatit docker/healthcheck.py ./docker/
COPY models ./models
COPY app ./app
# The root file system may be read-only at run time, too late to compile. A clone made under a strict umask
# would be unreadable to the image's user.
RUN python -m compileall -q --invalidation-mode unchecked-hash app models && chmod -R a+rX,go-w /srv/ugatit /bundles

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="ugatit" \
      org.opencontainers.image.description="Image-to-image translation that shows where it looks." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/ugatit /opt/ugatit
# A read-only mount on this path replaces the shipped bundles.
COPY --from=build /bundles /srv/ugatit/bundles
COPY --from=build /srv/ugatit /srv/ugatit
RUN ln -s /srv/ugatit/docker/ugatit /usr/local/bin/ugatit
WORKDIR /srv/ugatit
# Inside a container 127.0.0.1 would be out of everybody's reach; what is published is the host's decision.
# The user has no home; whatever looks for one finds the place that stays writable.
ENV PATH=/opt/ugatit/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/srv/ugatit \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    UGATIT_HOST=0.0.0.0 \
    UGATIT_PORT=8000 \
    UGATIT_BUNDLES_DIR=/srv/ugatit/bundles
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8000
# It finishes what it admitted, 40 s at most: give it 50 (docker stop --time 50).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "/srv/ugatit/docker/healthcheck.py", "/readyz"]
# Exec form: the signal reaches the server, not a shell.
ENTRYPOINT ["ugatit"]
CMD ["serve"]
