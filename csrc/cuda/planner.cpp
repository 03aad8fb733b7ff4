#include "cuda/planner.h"

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace dnnfast::cuda {
namespace {

template <class T>
inline constexpr bool is_light =
    std::is_same_v<T, GatherRows> || std::is_same_v<T, AddPair> || std::is_same_v<T, CopyColumns> ||
    std::is_same_v<T, Reshape> || std::is_same_v<T, ArrayMap> || std::is_same_v<T, ArrayReduce> ||
    std::is_same_v<T, ArrayGather> || std::is_same_v<T, ArrayReshape>;

struct Chain {
  std::vector<const Work*> works;
  unsigned cuts = 0;  // that all can be cut by

  const Work& head() const { return *works.front(); }
};

struct Draft {
  std::vector<Chain> chains;

  bool full() const {
    size_t tasks = 0;
    for (const Chain& chain : chains) tasks += chain.works.size();
    return chains.size() == kMostParts || tasks == kMostTasks;
  }
};

// The cuts under which a piece of `b` needs no other piece of `a` than its own.
unsigned local_cuts(const Access& a, const Access& b) {
  unsigned cuts = kWhole;
  if (a.ld != b.ld) return cuts;
  // Parts of the same rows may begin at different columns.
  const auto pitch = a.ld * static_cast<int64_t>(sizeof(float));
  const auto width = [&](const Access& access) {
    return access.width ? access.width * static_cast<int64_t>(sizeof(float)) : pitch;
  };
  const int64_t apart = b.begin - a.begin;
  const bool rows = apart >= 0 ? apart + width(b) <= pitch : width(a) - apart <= pitch;
  const bool by_row = a.by_row && b.by_row && (rows || apart == 0);
  const bool by_column = a.by_column && b.by_column && apart == 0;
  if (by_row) cuts |= kRows;
  if (by_column) cuts |= kColumns;
  if (by_row && by_column) cuts |= kTiles;
  return cuts;
}

// The cuts that make the same pieces of both.
unsigned common_cuts(const Extent& a, const Extent& b) {
  unsigned cuts = kWhole;
  const bool rows = a.fixed_rows == b.fixed_rows && a.rows_per_sample == b.rows_per_sample;
  const bool cols = a.cols == b.cols;
  if (rows) cuts |= kRows;
  if (cols) cuts |= kColumns;
  if (rows && cols) cuts |= kTiles;
  return cuts;
}

class Planner {
 public:
  Planner(int64_t capacity, int processors, bool fused)
      : capacity_(capacity), processors_(processors), fused_(fused) {}

  void place(const Work& work);
  std::vector<PlannedLaunch> finish(const ops::OptimizerStep* optimizer) const;

 private:
  // Whether works of a chain conflict with it, and the cuts under which it may follow them.
  static bool follows(const Chain& chain, const Work& work, unsigned& cuts);
  bool join(Draft& draft, const std::vector<size_t>& conflicting, unsigned cuts, const Work& work);
  void start_chain(size_t launch, const Work& work);
  Part cut(const Chain& chain, ProductForm& narrow) const;
  PieceShape product_shape(const Chain& chain, unsigned cut, ProductForm& narrow) const;
  int64_t pieces(const Extent& extent, const PieceShape& shape) const {
    return (extent.rows(capacity_) + shape.rows - 1) / shape.rows *
           ((extent.cols + shape.cols - 1) / shape.cols);
  }

  int64_t capacity_;
  int64_t processors_;
  bool fused_;
  std::vector<Draft> drafts_;
};

bool Planner::follows(const Chain& chain, const Work& work, unsigned& cuts) {
  bool conflict = false;
  cuts = chain.cuts & work.cuts & common_cuts(chain.head().extent, work.extent);
  for (const Work* earlier : chain.works)
    for (const Access& a : earlier->accesses)
      for (const Access& b : work.accesses)
        if (a.conflicts(b)) {
          conflict = true;
          cuts &= local_cuts(a, b);
        }
  return conflict;
}

void Planner::start_chain(size_t launch, const Work& work) {
  while (launch < drafts_.size() && (drafts_[launch].full() || !fused_)) ++launch;
  if (launch == drafts_.size()) drafts_.emplace_back();
  drafts_[launch].chains.push_back({{&work}, work.cuts});
}

// Whether it may run in the blocks of another chain: it is little beside a launch of its own.
bool light(const Chain& chain) {
  return std::all_of(chain.works.begin(), chain.works.end(), [](const Work* work) {
    return std::visit([](const auto& task) { return is_light<std::decay_t<decltype(task)>>; },
                      work->task);
  });
}

// Adds a work to a launch's chains that it conflicts with; several become one where all but one are light.
bool Planner::join(Draft& draft, const std::vector<size_t>& conflicting, unsigned cuts,
                   const Work& work) {
  if (cuts == 0 || !fused_ || draft.full()) return false;
  size_t heavy = conflicting.front();
  int count = 0;
  for (size_t c : conflicting) {
    if (light(draft.chains[c])) continue;
    heavy = c;
    ++count;
  }
  if (count > 1) return false;
  Chain& chain = draft.chains[heavy];
  for (size_t c : conflicting) {
    if (c == heavy) continue;
    const Chain& other = draft.chains[c];
    chain.works.insert(chain.works.end(), other.works.begin(), other.works.end());
  }
  chain.works.push_back(&work);
  chain.cuts = cuts;
  for (size_t i = conflicting.size(); i-- > 0;)
    if (conflicting[i] != heavy)
      draft.chains.erase(draft.chains.begin() + static_cast<std::ptrdiff_t>(conflicting[i]));
  return true;
}

void Planner::place(const Work& work) {
  for (size_t launch = drafts_.size(); launch-- > 0;) {
    std::vector<size_t> conflicting;
    unsigned cuts = ~0u;
    for (size_t c = 0; c < drafts_[launch].chains.size(); ++c) {
      unsigned these = 0;
      if (!follows(drafts_[launch].chains[c], work, these)) continue;
      conflicting.push_back(c);
      cuts &= these;
    }
    if (conflicting.empty()) continue;
    if (!join(drafts_[launch], conflicting, cuts, work)) start_chain(launch + 1, work);
    return;
  }
  start_chain(0, work);
}

// The form of narrow products, which depends on how many pieces there are; the bits do not.
PieceShape Planner::product_shape(const Chain& chain, unsigned cut, ProductForm& narrow) const {
  const Extent& extent = chain.head().extent;
  const PieceShape flat = piece_shape(ProductForm::narrow_flat);
  const PieceShape tall = piece_shape(ProductForm::narrow_tall);
  if (cut == kColumns) {
    narrow = extent.cols / tall.cols <= 2 * processors_ ? ProductForm::narrow_tall
                                                        : ProductForm::narrow_wide;
  } else {
    const int64_t flat_pieces =
        cut == kRows ? (extent.rows(capacity_) + flat.rows - 1) / flat.rows : pieces(extent, flat);
    narrow = flat_pieces <= 2 * processors_ ? ProductForm::narrow_flat : ProductForm::narrow_wide;
  }
  return piece_shape(narrow);
}

Part Planner::cut(const Chain& chain, ProductForm& narrow) const {
  unsigned cut = kWhole;
  for (unsigned candidate : {kTiles, kColumns, kRows})
    if (cut == kWhole && (chain.cuts & candidate)) cut = candidate;
  PieceShape shape = cut == kColumns ? PieceShape{0, 8} : PieceShape{16, 64};
  if (cut == kRows) shape.rows = kWarps;
  const auto product = [](const Work* work) {
    return std::visit([](const auto& task) { return requires { task.form; }; }, work->task);
  };
  const auto first = [&](auto condition) {
    const auto found = std::find_if(chain.works.begin(), chain.works.end(), condition);
    return found == chain.works.end() ? nullptr : *found;
  };
  const auto shaped = [](const Work* work) { return work->shape.cols != 0; };
  if (const Work* work = first([&](const Work* w) { return product(w) && shaped(w); }))
    shape = work->shape;
  else if (first(product))
    shape = product_shape(chain, cut, narrow);
  else if (const Work* other = first(shaped); other && (cut != kColumns || chain.works.size() == 1))
    shape = other->shape;
  Part part;
  part.extent = chain.head().extent;
  part.piece_rows = cut & (kTiles | kRows) ? shape.rows : 0;
  part.piece_cols = cut & (kTiles | kColumns) ? shape.cols : 0;
  return part;
}

std::vector<PlannedLaunch> Planner::finish(const ops::OptimizerStep* optimizer) const {
  std::vector<PlannedLaunch> launches;
  for (const Draft& draft : drafts_) {
    PlannedLaunch planned;
    Launch& launch = planned.launch;
    if (optimizer) launch.optimizer = *optimizer;
    for (const Chain& chain : draft.chains) {
      ProductForm narrow = ProductForm::outer;
      Part part = cut(chain, narrow);
      part.first = launch.tasks;
      part.count = static_cast<int>(chain.works.size());
      for (const Work* work : chain.works) {
        Task& task = launch.task[launch.tasks++];
        task = work->task;
        std::visit(
            [&](auto& t) {
              if constexpr (requires { t.form; })
                if (narrow != ProductForm::outer && work->shape.cols == 0) t.form = narrow;
            },
            task);
        planned.calls.push_back(work->call);
      }
      launch.part[launch.parts++] = part;
    }
    launches.push_back(std::move(planned));
  }
  return launches;
}

std::vector<PlannedLaunch> plan_launches(const WorkList& list, const ops::Program& program,
                                         Planner planner) {
  const std::vector<Work> works = list.finish(program.repeated.empty());
  for (const Work& work : works) planner.place(work);
  return planner.finish(program.fused_step.get());
}

void append(std::string& text, const std::vector<PlannedLaunch>& launches, int64_t capacity) {
  int number = 0;
  for (const PlannedLaunch& planned : launches) {
    text += "  kernel " + std::to_string(number++) + ": ops ";
    for (int p = 0; p < planned.launch.parts; ++p) {
      const Part& part = planned.launch.part[p];
      if (p > 0) text += " | ";
      for (int t = part.first; t < part.first + part.count; ++t)
        text +=
            (t > part.first ? " > " : "") + std::to_string(planned.calls[static_cast<size_t>(t)]);
      text += " (" + std::to_string(part.pieces(capacity)) + ")";
    }
    text += "\n";
  }
}

}  // namespace

PlannedProgram plan_program(const ops::Program& program, int64_t capacity, int processors,
                            bool fused) {
  const WorkList empty(capacity, processors);
  const Planner planner(capacity, processors, fused);
  const int computed = static_cast<int>(program.compute.size());
  const int repeated = static_cast<int>(program.repeated.size());
  PlannedProgram planned;
  WorkList main = empty;
  main.add(program.compute, 0);
  if (program.step_loss && !program.update.empty())
    main.check_loss(program.step_loss, computed - 1);
  main.add(program.update, computed, program.model);
  planned.main = plan_launches(main, program, planner);
  WorkList passes = empty;
  passes.add(program.repeated, computed);
  planned.repeated = plan_launches(passes, program, planner);
  WorkList last = empty;
  last.add(program.finish, computed + repeated);
  planned.finish = plan_launches(last, program, planner);
  return planned;
}

std::string describe(const PlannedProgram& program, int64_t capacity) {
  std::string text = std::to_string(program.main.size()) + " kernels a step";
  if (!program.repeated.empty())
    text += ", " + std::to_string(program.repeated.size()) + " more for every pass, " +
            std::to_string(program.finish.size()) + " at the end";
  text += "; '|' ops side by side, '>' ops one after the other on a piece, (pieces)\n";
  append(text, program.main, capacity);
  append(text, program.repeated, capacity);
  append(text, program.finish, capacity);
  return text;
}

}  // namespace dnnfast::cuda
