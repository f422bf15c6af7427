"""What is measured: how to start each peer between the loader and the sink.

A peer stays in the foreground, listens on 127.0.0.1:port and forwards to
127.0.0.1:sink. Binaries of others are looked for in PATH.
"""
import os
import shutil


class Start:
    """One start of one peer: where to listen, where the sink is, a folder of its own."""

    def __init__(self, work, tools, name, port, sink, spare_port):
        self.mode, self.certificate = 'plain', None  # a certificate where TLS is ended
        self.port, self.sink, self.spare_port = port, sink, spare_port
        self.dir = os.path.join(work, 'peers', name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def mkdir(self, name, mode=0o755, user=None):
        path = os.path.join(self.dir, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if user:
            shutil.chown(path, user)
        return path


class Peer:
    name = ''
    modes = ('plain',)        # workloads it can do: their `mode`
    idle = 9500               # sessions to hold in W5
    conc = 10 ** 6            # most sessions at a time
    redirected = False        # its clients connect to the sink; nft sends them here
    source = '127.1.0.1,16'   # first and number of its clients' addresses, where they have some

    def binary(self):
        raise NotImplementedError

    def start(self, s):
        """The command to run."""
        raise NotImplementedError


class Smtpscope(Peer):
    """The proxy as operators run it: enforce, default policy, transcript with digests."""
    modes = ('plain', 'passthrough', 'starttls', 'tls')
    TLS = {'plain': '',
           'passthrough': 'tls = { starttls = "passthrough"; };',
           'starttls': 'tls = { starttls = "terminate"; certificate = "%s"; key = "%s";\n'
                       '            upstream = "require"; verify = "no"; };',
           'tls': 'tls = { implicit = true; certificate = "%s"; key = "%s";\n'
                  '            upstream = "implicit"; verify = "no"; };'}

    diagnosis = ''

    def __init__(self, path, workers):
        self.path, self.workers = path, workers
        self.name = f'smtpscope-{workers}'

    def behind_redirect(self):
        """The same, as a transparent proxy: it asks the kernel where clients were going."""
        p = Smtpscope(self.path, self.workers)
        p.name += '-redirected'
        p.redirected, p.source = True, f'127.{1 + self.workers}.0.1,16'
        return p

    def without_findings(self):
        """The same, that looks for nothing."""
        p = Smtpscope(self.path, self.workers)
        p.name += '-blind'
        p.diagnosis = 'findings = false; dkim = "no";'
        return p

    def binary(self):
        return self.path if os.access(self.path, os.X_OK) else None

    def start(self, s):
        tls = self.TLS[s.mode]
        if s.certificate:
            tls %= s.certificate.cert, s.certificate.key
        to = ('intercept = "redirect"; upstream = "original";' if self.redirected else
              f'upstream = "127.0.0.1:{s.sink}";')
        conf = s.file('smtpscope.conf', f'''
workers = "{self.workers}";
log_level = "warn";
listeners = (
  {{ name = "bench";
    listen = [ "127.0.0.1:{s.port}" ];
    {to}
    mode = "enforce";
    {tls}
    limits = {{ sessions = 9600; per_client = 0; }};
  }}
);
transcript = {{ file = "{s.dir}/transcript.jsonl"; content = "digest"; redact = "secrets";
               rotate_size = "64M"; {self.diagnosis} }};
''')
        return [self.path, 'run', '-f', conf]


class Uvrelay(Peer):
    """The libuv floor: a relay that knows no SMTP, but STARTTLS where TLS is ended."""
    modes = ('plain', 'passthrough', 'starttls', 'tls')
    TICKETS = 1  # to each client, as smtpscope gives

    def __init__(self, tools, name='uvrelay'):
        self.tools, self.path, self.name = tools, os.path.join(tools, 'uvrelay'), name

    def behind_redirect(self):
        p = Uvrelay(self.tools, self.name + '-redirected')
        p.redirected, p.source, p.workers = True, f'127.{1 + self.workers}.0.1,16', self.workers
        return p

    def without_findings(self):
        p = Uvrelay(self.tools, self.name + '-blind')
        p.workers = self.workers
        return p

    def binary(self):
        return self.path if os.access(self.path, os.X_OK) else None

    def start(self, s):
        tls = ['--' + s.mode, '--cert', s.certificate.cert, '--key', s.certificate.key,
               '--tickets', str(self.TICKETS)] if s.certificate else []
        return [self.path, '-l', f'127.0.0.1:{s.port}', '-u', f'127.0.0.1:{s.sink}'] + tls


class Haproxy(Peer):
    """Cannot end STARTTLS."""
    name = 'haproxy'
    modes = ('plain', 'passthrough', 'tls')

    def binary(self):
        return shutil.which('haproxy') or shutil.which('haproxy', path='/usr/sbin')

    def start(self, s):
        crt = f' ssl crt {s.certificate.both}' if s.certificate else ''
        ssl = ' ssl verify none' if s.certificate else ''
        conf = s.file('haproxy.cfg', f'''
global
    nbthread 1
    maxconn 9800
defaults
    mode tcp
    timeout connect 5s
    timeout client 10m
    timeout server 10m
listen smtp
    bind 127.0.0.1:{s.port} backlog 4096{crt}
    server mta 127.0.0.1:{s.sink}{ssl}
''')
        return [self.binary(), '-db', '-q', '-f', conf]


class NginxMail(Peer):
    """Speaks SMTP itself: EHLO and NOOP do not reach the sink. Its helper, which says
    where the sink is, is not accounted."""
    name = 'nginx-mail'

    def binary(self):
        module = '/usr/lib/nginx/modules/ngx_mail_module.so'
        path = shutil.which('nginx') or shutil.which('nginx', path='/usr/sbin')
        return path if os.path.exists(module) else None

    def helper(self, s):
        conf = s.file('auth.conf', f'''
user root;
daemon off;
pid {s.dir}/auth.pid;
events {{ worker_connections 19500; }}
http {{
    access_log off;
    server {{
        listen 127.0.0.1:{s.spare_port} backlog=4096;
        location / {{
            add_header Auth-Status OK;
            add_header Auth-Server 127.0.0.1;
            add_header Auth-Port {s.sink};
            return 204;
        }}
    }}
}}
''')
        return [self.binary(), '-p', s.dir, '-c', conf, '-e', s.dir + '/auth.log']

    def start(self, s):
        conf = s.file('nginx.conf', f'''
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
user root;
daemon off;
worker_processes 1;
pid {s.dir}/pid;
events {{ worker_connections 19500; }}
mail {{
    server_name proxy.invalid;
    auth_http 127.0.0.1:{s.spare_port}/auth;
    xclient off;
    smtp_capabilities PIPELINING 8BITMIME "SIZE 1073741824";
    server {{
        listen 127.0.0.1:{s.port} backlog=4096;
        protocol smtp;
        smtp_auth none;
        proxy_timeout 600s;
        timeout 600s;
    }}
}}
''')
        return [self.binary(), '-p', s.dir, '-c', conf, '-e', s.dir + '/error.log']


class Postfix(Peer):
    """smtpd with smtpd_proxy_filter: a process per session; speaks SMTP itself."""
    name = 'postfix'
    idle = 200

    def binary(self):
        path = '/usr/lib/postfix/sbin/master'
        return path if os.access(path, os.X_OK) else None

    def start(self, s):
        etc, spool = s.mkdir('etc'), s.mkdir('spool')
        for d in ('pid', 'private', 'public', 'active', 'deferred', 'incoming',
                  'maildrop', 'flush', 'defer', 'bounce', 'corrupt', 'hold', 'saved'):
            s.mkdir('spool/' + d, 0o755 if d == 'pid' else 0o710,
                    None if d == 'pid' else 'daemon')
        s.mkdir('data', 0o755, 'daemon')
        s.file('etc/main.cf', f'''
compatibility_level = 3.6
queue_directory = {spool}
data_directory = {s.dir}/data
mail_owner = daemon
setgid_group = mail
default_privs = nobody
myhostname = proxy.invalid
mydestination =
relay_domains = sink.invalid
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
message_size_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_relay_restrictions = permit_mynetworks, reject
''')
        s.file('etc/master.cf', f'''
127.0.0.1:{s.port} inet n - n - 400 smtpd
  -o smtpd_proxy_filter=127.0.0.1:{s.sink}
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
cleanup unix n - n - 0 cleanup
''')
        return [self.binary(), '-d', '-c', etc]


def others(tools):
    """All that can be measured beside smtpscope."""
    return [Uvrelay(tools), Haproxy(), NginxMail(), Postfix()]
