/* The article's 2-2-1 network in C, with the arithmetic of autodiff.article: one sample or the mean
   of many, many networks at once, and the training. Compile with -DREAL=double or -DREAL=float. */

#include <math.h>
#include <tgmath.h>

static REAL sigmoid(REAL z) { return 1 / (1 + exp(-z)); }

/* The loss of one sample; to: ∂L/∂w1..w6, b1..b3. p: w1..w6, b1..b3. */
static inline REAL sample(const REAL *p, REAL x1, REAL x2, REAL y, REAL *to)
{
    REAL h1 = sigmoid(p[0] * x1 + p[1] * x2 + p[6]);
    REAL h2 = sigmoid(p[2] * x1 + p[3] * x2 + p[7]);
    REAL ypred = sigmoid(p[4] * h1 + p[5] * h2 + p[8]);

    REAL dz3 = -2 * (y - ypred) * ypred * (1 - ypred);
    REAL dz1 = dz3 * p[4] * h1 * (1 - h1);
    REAL dz2 = dz3 * p[5] * h2 * (1 - h2);

    to[0] = dz1 * x1, to[1] = dz1 * x2, to[2] = dz2 * x1, to[3] = dz2 * x2;
    to[4] = dz3 * h1, to[5] = dz3 * h2, to[6] = dz1, to[7] = dz2, to[8] = dz3;
    return (y - ypred) * (y - ypred);
}

/* answer: the mean loss over n samples, then its nine partial derivatives. xs: n pairs. */
void mean(const REAL *params, const REAL *xs, const REAL *ys, long n, REAL *answer)
{
    REAL sum[10] = {0}, grads[9];
    for (long k = 0; k < n; k++) {
        sum[0] += sample(params, xs[2 * k], xs[2 * k + 1], ys[k], grads);
        for (int i = 0; i < 9; i++)
            sum[i + 1] += grads[i];
    }
    for (int i = 0; i < 10; i++)
        answer[i] = sum[i] / n;
}

/* n networks with a sample each: params has all of w1 first; answer all losses, then all ∂L/∂w1. */
void mass(const REAL *params, const REAL *xs, const REAL *ys, long n, REAL *answer)
{
    for (long k = 0; k < n; k++) {
        REAL p[9], grads[9];
        for (int i = 0; i < 9; i++)
            p[i] = params[i * n + k];
        answer[k] = sample(p, xs[2 * k], xs[2 * k + 1], ys[k], grads);
        for (int i = 0; i < 9; i++)
            answer[(i + 1) * n + k] = grads[i];
    }
}

/* params: the start. path: the parameters after every update, all of w1 first. */
void train(const REAL *params, const REAL *xs, const REAL *ys, const long *order, long updates,
           REAL rate, REAL *path)
{
    REAL now[9], grads[9];
    for (int i = 0; i < 9; i++)
        now[i] = params[i];
    for (long k = 0; k < updates; k++) {
        long row = order[k];
        sample(now, xs[2 * row], xs[2 * row + 1], ys[row], grads);
        for (int i = 0; i < 9; i++)
            path[i * updates + k] = now[i] -= rate * grads[i];
    }
}
