"""From results to one table: medians of ratios taken within a round, against bounds."""
import statistics

# workload: (figure, in words, must, aim). Figures are ratios to uvrelay; that of W5 is
# absolute; those of WT, WF and WFb are ratios of smtpscope to itself.
BOUNDS = {
    'W1': ('cpu', 'CPU', 1.40, 1.18),
    'W1P': ('cpu', 'CPU', None, None),
    'W2': ('cpu', 'CPU', 1.45, 1.19),
    'W3': ('cpu', 'CPU', 1.60, 1.35),
    'W4a': ('cpu', 'CPU', 1.60, 1.35),
    'W4b': ('cpu', 'CPU', 1.60, 1.35),
    'W5': ('memory', 'octets of an idle session', 2048, 1024),
    'W6': ('latency', 'p50 latency', None, None),
    'W6m': ('latency', 'p50 latency', 1.20, 1.10),
    'W8': ('cpu', 'CPU', 1.45, 1.20),
    'W7h': ('cpu', 'CPU', 1.10, None),
    'W7ih': ('cpu', 'CPU', 1.10, None),
    'W7b': ('cpu', 'CPU', 1.20, None),
    'W7ib': ('cpu', 'CPU', 1.20, None),
    'W7m': ('cpu', 'CPU', 1.20, None),
    'W7s': ('memory', 'memory of an idle session', 1.15, None),
    'W7p': ('cpu', 'CPU', 1.10, None),
    'WT': ('cpu', 'CPU, redirected / fixed upstream', 1.05, None),
    'WF': ('cpu', 'CPU, with findings / without', 1.15, None),
    'WFb': ('cpu', 'CPU, with findings / without', 1.15, None),
    'calls': ('calls', 'system calls a W1 session', 1.10, 1.10),
}


def figure(kind, r):
    """The figure of one result, or None."""
    proxy, mode = r.get('proxy', {}), r['mode']
    if kind == 'memory':
        return proxy.get('pss_bytes_per_idle')
    if kind == 'latency':
        return r['latency_us'].get('noop' if mode == 'noop' else 'message', {}).get('p50')
    if mode == 'noop':
        return proxy.get('cpu_us_per_noop')
    if mode in ('churn', 'handshake'):
        return proxy.get('cpu_us_per_session')
    return proxy.get('cpu_s_per_gb' if r['size'] > 1 << 20 else 'cpu_us_per_message')


def ratio(results, kind, peer, to):
    """Median over the rounds of peer/to; (median, lower and upper quartile), or None."""
    by = {(r['peer'], r['round']): figure(kind, r) for r in results}
    v = [by[peer, n] / by[to, n] for p, n in by
         if p == peer and by[peer, n] is not None and by.get((to, n))]
    if not v:
        return None
    q = statistics.quantiles(v, n=4) if len(v) > 1 else [v[0]] * 3
    return statistics.median(v), q[0], q[2]


def median(results, kind, peer):
    v = [figure(kind, r) for r in results if r['peer'] == peer]
    v = [x for x in v if x is not None]
    return statistics.median(v) if v else None


def verdict(value, must, aim):
    if value is None:
        return 'not measured'
    if must is None:
        return '-'
    if value > must:
        return 'MISSED'
    return 'ok' if aim is None or value > aim else 'ok, aim met'


def text(value, digits=2):
    return '-' if value is None else f'{value:.{digits}f}'


class Table:
    """Rows: workload | haproxy/uvrelay | ours/uvrelay | must | aim | verdict."""

    def __init__(self):
        self.rows, self.missed = [], 0

    def add(self, workload, label, haproxy, ours, spread=None):
        _, what, must, aim = BOUNDS[workload]
        digits = 0 if workload == 'W5' else 2
        v = verdict(ours, must, aim)
        self.missed += must is not None and v in ('MISSED', 'not measured')
        shown = text(ours, digits)
        if spread:
            shown += f' ({text(spread[0])}-{text(spread[1])})'
        self.rows.append([f'{label} {what}', text(haproxy, digits), shown,
                          text(must, digits), text(aim, digits), v])

    def add_results(self, workload, results, ours):
        kind = BOUNDS[workload][0]
        for peer in ours:
            label = f'{workload}, {peer.workers} worker{"s" * (peer.workers != 1)}:'
            if workload == 'W5':
                self.add(workload, label, median(results, kind, 'haproxy'),
                         median(results, kind, peer.name))
                continue
            h = ratio(results, kind, 'haproxy', 'uvrelay')
            if workload == 'WT':
                o = ratio(results, kind, peer.behind_redirect().name, peer.name)
            elif workload in ('WF', 'WFb'):
                o = ratio(results, kind, peer.name, peer.without_findings().name)
            else:
                o = ratio(results, kind, peer.name, 'uvrelay')
            self.add(workload, label, h and h[0], o and o[0], o and o[1:])

    def print(self):
        print('| workload | haproxy / uvrelay | ours / uvrelay (quartiles) | must | aim | '
              'verdict |\n|---|---:|---:|---:|---:|---|')
        for row in self.rows:
            print('| ' + ' | '.join(row) + ' |')
