// The words of a report for who meets them the first time.
#include "analysis/report/sections.h"

namespace scalelaw {

void add_words(Document& document) {
  document.heading("Words on this page");
  DocumentTable table;
  table.columns = {{"word", false}, {"meaning", false}};
  table.rows = {
      {"N without head, with head",
       "The size of a model in parameters (non_embedding and non_embedding_plus_head on the "
       "command "
       "line). Without head: attention, feed-forward or recurrent matrices. With head: the matrix "
       "that turns the last layer into a score for each token of the vocabulary is counted too. "
       "Embeddings are in neither; --n-count total counts everything."},
      {"D", "Training tokens of each run. All runs compared here have the same D."},
      {"slope, a", "How fast loss falls with N on a log-log plot: -d ln L / d ln N."},
      {"floor, E",
       "What loss would tend to with ever larger N, in L = E + A N^-alpha; A and alpha are fitted "
       "with it. At one D it holds B D^-beta too, what a limited training text costs."},
      {"95% interval",
       "A range from a method that holds the true value in 95% of studies like this one, if its "
       "assumptions hold. (t) says that its width is taken from Student's distribution, which "
       "allows for few points."},
      {"standard error", "How far an estimate typically lies from the truth by chance."},
      {"p",
       "How often chance alone would give a difference at least as large if there were none. Below "
       "0.05 it counts as found here."},
      {"F (1, 12)",
       "A difference over its standard error, squared; the second number says how many points are "
       "left to judge noise by (degrees of freedom), fewer where one arm scatters more."},
      {"Holm, Bonferroni",
       "Ways to ask for more evidence when several pairs are compared, since one of many would "
       "differ by chance."},
      {"Huber", "A fit in which points far off the line count less than by their square."},
      {"bootstrap",
       "Runs are drawn again with replacement and fitted, many times; the spread of the results is "
       "the interval. A replicate is stuck when its fit does not converge, void when too few sizes "
       "were drawn or a floor has no meaning because loss rises over them."},
      {"set of E, F profile",
       "All values of E whose best fit is not significantly worse than the best of all. It may "
       "have "
       "no lower or upper end: the data then do not say."},
      {"converged, not identified",
       "The fit reached its optimum; the data leave a parameter open, so no value is given for "
       "it."},
      {"noise between seeds",
       "How much the loss of one recipe varies with the random start (init) and the order of the "
       "text (data)."},
  };
  document.add(table);
}

}  // namespace scalelaw
