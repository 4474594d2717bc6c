/* SPDX-License-Identifier: Apache-2.0 */
/* How many of some frames chance loses on a way. Each direction on it is a chain of states; of all together, the mean and the
 * variance of the count are exact, and its distribution is that of a chain of two states with the same mean and variance: exact for
 * losses that do not depend on each other (where it is the binomial one), for loss_correlation and for Gilbert's model. */
#include <config.h>

#include <math.h>

#include "distem/expect.h"
#include "distem/units.h"

#define STATES 4
#define OUTSIDE 5e-5            /* The chance to be below the least, and that to be above the most. */
#define DEVIATIONS_ALL 15       /* Beyond so many, and ROOM_ALL counts more, nothing is likely enough to matter. */
#define ROOM_ALL 100            /* For bursts, which make long tails. */
#define INDEPENDENCE_LEAST 1e-9 /* A chain never stays in a state for ever. */
#define BISECTIONS 60

/* A direction: the chances to go from one state to another, how often it is in each, and the shares of frames that pass there. */
struct chain {
    double step[STATES][STATES];
    double often[STATES];
    double passes[STATES];
    double next[STATES]; /* The share that passes as many frames later as there were calls of advance(). */
};

static double share(uint32_t ppb)
{
    return (double)ppb / PPB_ONE;
}

/* Sets two states of which the second, the bad one, is entered and left with these chances. */
static void set_two(struct chain *chain, double enter, double leave)
{
    chain->step[0][0] = 1 - enter;
    chain->step[0][1] = enter;
    chain->step[1][0] = leave;
    chain->step[1][1] = 1 - leave;
    chain->often[1] = enter + leave > 0 ? enter / (enter + leave) : 0;
    chain->often[0] = 1 - chain->often[1];
}

/* Sets states 1 to 4, see direction.c. */
static void set_markov(struct chain *chain, const struct impairment *i)
{
    double third = i->markov_p31 ? share(i->markov_p13) / share(i->markov_p31) : 0;
    double second = i->markov_p23 ? third * share(i->markov_p32) / share(i->markov_p23) : 0;
    double fourth = share(i->markov_p14), all = 1 + second + third + fourth;
    const double often[STATES] = {1 / all, second / all, third / all, fourth / all};
    const double step[STATES][STATES] = {
        {1 - share(i->markov_p13) - fourth, 0, share(i->markov_p13), fourth},
        {0, 1 - share(i->markov_p23), share(i->markov_p23), 0},
        {share(i->markov_p31), share(i->markov_p32), 1 - share(i->markov_p31) - share(i->markov_p32), 0},
        {1, 0, 0, 0},
    };
    for (unsigned s = 0; s < STATES; s++) {
        chain->often[s] = often[s];
        chain->passes[s] = s < 2;
        for (unsigned t = 0; t < STATES; t++) {
            chain->step[s][t] = step[s][t];
        }
    }
}

static struct chain chain_of(const struct impairment *i)
{
    struct chain chain = {.passes = {1, 0}};
    if (i->gilbert_enter) {
        set_two(&chain, share(i->gilbert_enter), share(i->gilbert_leave));
        chain.passes[0] = 1 - share(i->gilbert_good_loss);
        chain.passes[1] = i->gilbert_bad_loss ? 1 - share(i->gilbert_bad_loss) : 0;
    } else if (i->markov_p13 || i->markov_p14) {
        set_markov(&chain, i);
    } else {
        double loss = share(i->loss), independence = 1 - share(i->loss_correlation);
        set_two(&chain, independence * loss, independence * (1 - loss));
        chain.often[0] = 1 - loss;
        chain.often[1] = loss;
    }
    for (unsigned s = 0; s < STATES; s++) {
        chain.next[s] = chain.passes[s];
    }
    return chain;
}

/* Goes on by one frame, and returns the chance that both that one and the first pass. */
static double advance(struct chain *chain)
{
    double sums[STATES] = {0}, both = 0;
    for (unsigned s = 0; s < STATES; s++) {
        for (unsigned t = 0; t < STATES; t++) {
            sums[s] += chain->step[s][t] * chain->next[t];
        }
    }
    for (unsigned s = 0; s < STATES; s++) {
        chain->next[s] = sums[s];
        both += chain->often[s] * chain->passes[s] * sums[s];
    }
    return both;
}

/* Returns the chains of the directions on 'path' that lose frames. */
static GArray *chains_of(const struct path *path)
{
    GArray *chains = g_array_new(FALSE, FALSE, sizeof(struct chain));
    for (unsigned i = 0; path->hops && i < path->hops->len; i++) {
        const struct hop *hop = &g_array_index(path->hops, struct hop, i);
        const struct impairment *impairment = hop->output ? &hop->viface->output : &hop->viface->input;
        if (impairment_loss(impairment) > 0) {
            struct chain chain = chain_of(impairment);
            g_array_append_val(chains, chain);
        }
    }
    return chains;
}

/* Returns by what the variance of the count is larger than if no loss depended on another. What the matrix loses, the difference
 * between the chains and 'loss', does not. */
static double excess_of(const struct path *path, double loss, unsigned sent)
{
    g_autoptr(GArray) chains = chains_of(path);
    double alone = 1, sum = 0;
    for (unsigned c = 0; c < chains->len; c++) {
        const struct chain *chain = &g_array_index(chains, struct chain, c);
        double passes = 0;
        for (unsigned s = 0; s < STATES; s++) {
            passes += chain->often[s] * chain->passes[s];
        }
        alone *= passes;
    }
    double rest = alone > 0 ? fmin((1 - loss) / alone, 1) : 1;
    for (unsigned k = 1; chains->len && k < sent; k++) {
        double both = 1;
        for (unsigned c = 0; c < chains->len; c++) {
            both *= advance(&g_array_index(chains, struct chain, c));
        }
        sum += 2.0 * (sent - k) * rest * rest * (both - alone * alone);
    }
    return sum;
}

/* Returns the same, as a multiple of loss * (1 - loss), for a chain of two states in which the correlation of a loss with the one
 * before is 'correlation'. */
static double excess_of_two(double correlation, unsigned sent)
{
    double sum = 0, power = 1;
    for (unsigned k = 1; k < sent && fabs(power) > 1e-12; k++) {
        power *= correlation;
        sum += 2.0 * (sent - k) * power;
    }
    return sum;
}

/* Returns the correlation for which excess_of_two() is 'excess', or the nearest that there can be. */
static double correlation_for(double excess, double loss, unsigned sent)
{
    double low = -fmin(loss / (1 - loss), (1 - loss) / loss), high = 1 - INDEPENDENCE_LEAST;
    if (fabs(excess) < 1e-9 * sent) {
        return 0;
    }
    for (unsigned i = 0; i < BISECTIONS; i++) {
        double middle = (low + high) / 2;
        if (excess_of_two(middle, sent) < excess) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}

/* Returns the chances of 0, 1, ... losses, 'width' of them, in a chain of two states. The caller frees it. */
static double *distribution(double loss, double correlation, unsigned sent, unsigned width)
{
    double again = loss + correlation * (1 - loss), new = loss *(1 - correlation);
    double *lost = g_new0(double, width), *passed = g_new0(double, width); /* By what became of the last frame. */
    passed[0] = 1 - loss;
    lost[1] = loss;
    for (unsigned n = 1; n < sent; n++) {
        for (unsigned k = MIN(n + 2, width); k-- > 0;) {
            passed[k] = lost[k] * (1 - again) + passed[k] * (1 - new);
            lost[k] = k ? lost[k - 1] * again + passed[k - 1] * new : 0;
        }
    }
    for (unsigned k = 0; k < width; k++) {
        lost[k] += passed[k];
    }
    g_free(passed);
    return lost;
}

void expect_losses(const struct expectation *expected, unsigned sent, unsigned *ret_least, unsigned *ret_most)
{
    double loss = share(expected->loss), alone = loss * (1 - loss), below = 0; /* 'alone': the variance of one frame. */
    *ret_least = *ret_most = expected->loss >= PPB_ONE ? sent : 0;
    if (!sent || alone <= 0) {
        return;
    }
    double excess = excess_of(&expected->there, loss, sent), deviation = sqrt(fmax(sent * alone + excess, 0));
    double widest = sent * loss + DEVIATIONS_ALL * deviation + ROOM_ALL;
    unsigned width = widest < sent ? (unsigned)widest : sent + 1;
    g_autofree double *chances = distribution(loss, correlation_for(excess / alone, loss, sent), sent, MAX(width, 2));
    unsigned k = 0;
    for (; k < sent && k + 1 < width && below + chances[k] < OUTSIDE; k++) {
        below += chances[k];
    }
    *ret_least = k;
    for (; k < sent && k + 1 < width && 1 - below - chances[k] >= OUTSIDE; k++) {
        below += chances[k];
    }
    *ret_most = k;
}
