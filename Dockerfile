# Vitrine in a container: needs no root, no writable root file system and no capability.
#
#   docker build -t vitrine .
#   docker run -p 127.0.0.1:8000:8000 -v vitrine:/data --read-only --tmpfs /tmp \
#       --cap-drop ALL --security-opt no-new-privileges --stop-timeout 30 vitrine
#   docker run --rm -it -v vitrine:/data vitrine users create you@example.org

# Another registry's copy, or a digest that never moves: --build-arg BASE=...
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS builder
# A virtual environment without pip: what is not copied to the second stage need not be deleted there.
RUN python -m venv --without-pip /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# The libraries come first and alone: a change to the application does not install them again. A sixth of them is tests of
# their own. Bytecode is made here, since nothing may be written later, and is never held against its source: a start is faster.
# PostgreSQL, Redis, object stores and single sign-on come along with: --build-arg LIBRARIES=extras
ARG LIBRARIES=default
COPY requirements/default.txt requirements/extras.txt requirements/
RUN /usr/local/bin/python -m pip --python /opt/venv/bin/python install --require-hashes -r requirements/${LIBRARIES}.txt \
 && find /opt/venv -type d -name tests -prune -exec rm -rf {} + \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib

WORKDIR /srv/vitrine
COPY LICENSE README.md pyproject.toml gunicorn.conf.py wsgi.py ./
COPY models models
COPY static static
COPY templates templates
COPY app app
# Vitrine runs from its tree, so it is installed in place; what only the installation needed goes again. Its bytecode is held
# against its source: a gunicorn.conf.py that somebody mounts over this one must count. The last line is for checkouts that
# keep their files from others: whoever runs this must be able to read them, and only to read them.
RUN /usr/local/bin/python -m pip --python /opt/venv/bin/python install --no-deps --no-build-isolation --editable . \
 && /usr/local/bin/python -m pip --python /opt/venv/bin/python uninstall -q -y \
      hatchling editables pathspec pluggy tomlkit trove-classifiers \
 && /usr/local/bin/python -m pip --python /opt/venv/bin/python check \
 && python -m compileall -q --invalidation-mode checked-hash . \
 && chmod -R u=rwX,go=rX /srv/vitrine

FROM ${BASE}
# A number, and a fixed one: Kubernetes can see that it is not root, and a bind mount can be given to it (chown 10001).
# A new named volume takes over the owner of /data, so it must be right before VOLUME.
RUN groupadd --gid 10001 vitrine \
 && useradd --uid 10001 --gid vitrine --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin vitrine \
 && install -d -m 0700 -o vitrine -g vitrine /data
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /srv/vitrine /srv/vitrine

# HOST and PORT are what platforms set; VITRINE_HOST and VITRINE_PORT stay free and win over them.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VITRINE_DATA=/data \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /srv/vitrine
VOLUME /data
EXPOSE 8000
USER 10001:10001

# Asked where it really listens, and without a proxy: engines hand HTTP_PROXY to every container.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "\
import os, urllib.request as web; \
env = os.environ; \
host = env.get('VITRINE_HOST') or env['HOST']; \
host = {'0.0.0.0': '127.0.0.1', '::': '::1'}.get(host, host); \
host = f'[{host}]' if ':' in host else host; \
port = env.get('VITRINE_PORT') or env['PORT']; \
web.build_opener(web.ProxyHandler({})).open(f'http://{host}:{port}/readyz', timeout=4)"]

# `vitrine serve` becomes Gunicorn, so SIGTERM reaches it; it finishes what has begun within 25 seconds (VITRINE_STOP_WITHIN).
STOPSIGNAL SIGTERM
ENTRYPOINT ["vitrine"]
CMD ["serve"]
