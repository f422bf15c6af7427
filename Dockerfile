# smtpscope in a container: docker build -t smtpscope . && docker run -p 25:2525 smtpscope
#
# Without arguments it listens on port 2525 in front of the built-in reflector and writes its
# transcript to standard output. Arguments go to `smtpscope run`: --upstream mx.example.org:25
# or, with a file mounted, -f /etc/smtpscope/smtpscope.conf. Tested with libuv 1.44.2 and
# OpenSSL 3.0, which are Debian 12's.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libssl-dev libconfig-dev \
        libxxhash-dev libjansson-dev libpcap-dev
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json ./
COPY proxy proxy
COPY conf conf
RUN cmake --preset release -DSMTPSCOPE_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr && \
    cmake --build build/release && \
    DESTDIR=/out cmake --install build/release --strip

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        libuv1 libssl3 libconfig9 libxxhash0 libjansson4 libpcap0.8 && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --system --user-group --no-create-home --shell /usr/sbin/nologin smtpscope && \
    mkdir -p /etc/smtpscope && \
    install -d -o smtpscope -g smtpscope -m 0750 /var/log/smtpscope
COPY --from=build /out /
COPY scripts/container-run /usr/local/bin/container-run
USER smtpscope
EXPOSE 2525
VOLUME /var/log/smtpscope
STOPSIGNAL SIGTERM
# A greeting within three seconds; bash is all it needs. HEALTH_PORT: when it listens elsewhere.
HEALTHCHECK --interval=30s --timeout=5s --start-period=3s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/${HEALTH_PORT:-2525} && read -r -t 3 code <&3 && [[ $code == 220* ]] && printf 'QUIT\\r\\n' >&3"]
ENTRYPOINT ["/usr/local/bin/container-run"]
