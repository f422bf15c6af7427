#include "relay/admission.h"

#include "base/hash64.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

enum { SHARDS = 16, BUCKETS = 256 };

struct client_network {
    struct client_network *next;
    struct addr addr;
    unsigned sessions;
};

struct shard {
    pthread_mutex_t lock;
    struct client_network *bucket[BUCKETS];
};

struct admission {
    atomic_uint sessions;
    struct shard shard[SHARDS];
};

static atomic_uint descriptors_used;
static atomic_uint descriptors_limit = UINT_MAX;

struct admission *admission_new(void)
{
    struct admission *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    for (unsigned i = 0; i < SHARDS; i++) {
        int error = pthread_mutex_init(&a->shard[i].lock, NULL);
        assert(error == 0);
        (void)error;
    }
    return a;
}

void admission_free(struct admission **ap)
{
    struct admission *a = *ap;

    *ap = NULL;
    if (a == NULL)
        return;
    for (unsigned i = 0; i < SHARDS; i++) {
        for (unsigned k = 0; k < BUCKETS; k++)
            assert(a->shard[i].bucket[k] == NULL);
        pthread_mutex_destroy(&a->shard[i].lock);
    }
    free(a);
}

/* A client chooses within its own network only: the key has no host part. */
static uint32_t hash_network(const struct addr *a)
{
    return (uint32_t)hash64(span_of(a->ip, sizeof a->ip));
}

/* What points to the network's entry, or to the NULL at the end of its bucket. */
static struct client_network **network_find(struct shard *s, uint32_t hash,
                                            const struct addr *key)
{
    struct client_network **at = &s->bucket[hash / SHARDS % BUCKETS];

    while (*at != NULL && !addr_equal(&(*at)->addr, key))
        at = &(*at)->next;
    return at;
}

static enum admit network_enter(struct client_network **at, const struct addr *key,
                                const struct relay_settings *s)
{
    struct client_network *n = *at;

    if (n == NULL) {
        n = calloc(1, sizeof *n);
        if (n == NULL)
            return ADMIT_SESSION_LIMIT;
        n->addr = *key;
        *at = n;
    }
    bool above = n->sessions >= s->per_client;
    if (above && !s->observe)
        return ADMIT_CLIENT_LIMIT;
    n->sessions++;
    return above ? ADMIT_ABOVE : ADMIT_YES;
}

static enum admit client_enter(struct admission *a, const struct addr *client,
                               const struct relay_settings *s)
{
    struct addr key = addr_network(client, s->prefix4, s->prefix6);
    uint32_t hash = hash_network(&key);
    struct shard *shard = &a->shard[hash % SHARDS];

    pthread_mutex_lock(&shard->lock);
    enum admit answer = network_enter(network_find(shard, hash, &key), &key, s);
    pthread_mutex_unlock(&shard->lock);
    return answer;
}

static void client_leave(struct admission *a, const struct addr *client,
                         const struct relay_settings *s)
{
    struct addr key = addr_network(client, s->prefix4, s->prefix6);
    uint32_t hash = hash_network(&key);
    struct shard *shard = &a->shard[hash % SHARDS];

    pthread_mutex_lock(&shard->lock);
    struct client_network **at = network_find(shard, hash, &key), *n = *at;
    assert(n != NULL && n->sessions > 0);
    if (n != NULL && --n->sessions == 0) {
        *at = n->next;
        free(n);
    }
    pthread_mutex_unlock(&shard->lock);
}

enum admit admission_enter(struct admission *a, const struct addr *client,
                           const struct relay_settings *s)
{
    enum admit answer = ADMIT_YES;

    if (atomic_fetch_add(&a->sessions, 1) >= s->sessions)
        answer = ADMIT_SESSION_LIMIT;
    else if (s->per_client > 0)
        answer = client_enter(a, client, s);
    if (answer != ADMIT_YES && answer != ADMIT_ABOVE)
        atomic_fetch_sub(&a->sessions, 1);
    return answer;
}

void admission_leave(struct admission *a, const struct addr *client,
                     const struct relay_settings *s)
{
    if (s->per_client > 0)
        client_leave(a, client, s);
    atomic_fetch_sub(&a->sessions, 1);
}

unsigned admission_sessions(const struct admission *a)
{
    return atomic_load(&a->sessions);
}

void descriptors_set_limit(unsigned limit)
{
    atomic_store(&descriptors_limit, limit);
}

bool descriptors_take(unsigned count)
{
    unsigned used = atomic_fetch_add(&descriptors_used, count);

    if (used + count <= atomic_load(&descriptors_limit))
        return true;
    atomic_fetch_sub(&descriptors_used, count);
    return false;
}

void descriptors_give(unsigned count)
{
    atomic_fetch_sub(&descriptors_used, count);
}
