// Tiles of every size up to the register file's, chosen at run time for the edges of a matrix.

#include "cpu/gemm.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using TileFunction = void (*)(const TileJob&);

// Filled by the compiler: code of this file must not run on a machine without its instructions,
// and a table filled at load time would.
template <int Rows>
constexpr void fill_row(TileFunction (&table)[kTileRows + 1][kTileVectors + 1]) {
  table[Rows][1] = run_tile<Rows, 1>;
  if constexpr (kTileVectors >= 2) table[Rows][2] = run_tile<Rows, 2>;
  if constexpr (kTileVectors >= 3) table[Rows][3] = run_tile<Rows, 3>;
  if constexpr (Rows > 1) fill_row<Rows - 1>(table);
}

struct TileTable {
  TileFunction function[kTileRows + 1][kTileVectors + 1] = {};
  constexpr TileTable() { fill_row<kTileRows>(function); }
};

constexpr TileTable kTiles;

}  // namespace

void run_tile_of(int64_t rows, int64_t vectors, const TileJob& job) {
  kTiles.function[rows][vectors](job);
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
