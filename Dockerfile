# One image for all of our processes; docker-compose.yml sets the command.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
# Dependencies before sources, so that a change of the sources does not download them again. Wheels only: a build from
# source would need a compiler, and would run a stranger's setup script.
COPY requirements/run.txt requirements/run.txt
RUN pip install --require-hashes --only-binary :all: -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY deploy/rabbitmq deploy/rabbitmq
COPY nkk nkk
COPY services services
COPY gateway gateway
COPY webhooks webhooks
COPY ops ops
# Installed in place: migrations, letters and pages are files beside the code. Compiled here, because the running
# container cannot write. Readable by all, whatever the checkout's umask was.
RUN pip install --no-deps --no-build-isolation -e . \
    && python -m compileall -q nkk services gateway webhooks ops deploy \
    && chmod -R a+rX,go-w /app

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONWARNINGS=ignore:::nameko.extensions \
    MALLOC_MMAP_THRESHOLD_=1048576
# Cleans sound and video. It is more than half of the image; with FFMPEG=no they are kept as they came, and said to be.
ARG FFMPEG=yes
RUN if [ "$FFMPEG" = yes ]; then \
        apt-get update && apt-get install --yes --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*; \
    fi
# The three folders are mount points of volumes, which take their first owner from here. Root owns everything else, so that
# a compromised process cannot change the code it runs.
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin nkk \
    && install -d -o nkk -g nkk -m 0755 /definitions \
    && install -d -o nkk -g nkk -m 0700 /mail /files
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
CMD ["nkk", "--help"]
