/* The article's training in C: the same arithmetic as autodiff.article.train, update by update. */

#include <math.h>

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }

/* params: w1..w6, b1..b3, trained in place. path: 9 numbers per update, all of w1 first, as in an
   array of shape (9, updates). */
void train(double *params, const double *xs, const double *ys, const long *order, long updates,
           double rate, double *path)
{
    double w1 = params[0], w2 = params[1], w3 = params[2], w4 = params[3], w5 = params[4],
           w6 = params[5], b1 = params[6], b2 = params[7], b3 = params[8];

    for (long k = 0; k < updates; k++) {
        double x1 = xs[2 * order[k]], x2 = xs[2 * order[k] + 1], y = ys[order[k]];

        double h1 = sigmoid(w1 * x1 + w2 * x2 + b1);
        double h2 = sigmoid(w3 * x1 + w4 * x2 + b2);
        double ypred = sigmoid(w5 * h1 + w6 * h2 + b3);

        double dz3 = -2 * (y - ypred) * ypred * (1 - ypred);
        double dz1 = dz3 * w5 * h1 * (1 - h1);
        double dz2 = dz3 * w6 * h2 * (1 - h2);

        w1 -= rate * dz1 * x1;
        w2 -= rate * dz1 * x2;
        w3 -= rate * dz2 * x1;
        w4 -= rate * dz2 * x2;
        w5 -= rate * dz3 * h1;
        w6 -= rate * dz3 * h2;
        b1 -= rate * dz1;
        b2 -= rate * dz2;
        b3 -= rate * dz3;

        double now[9] = {w1, w2, w3, w4, w5, w6, b1, b2, b3};
        for (int i = 0; i < 9; i++)
            path[i * updates + k] = params[i] = now[i];
    }
}
