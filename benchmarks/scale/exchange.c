/* The messages of a sum over the processes, without the numbers: those of `Across::add` (crates/surefoot/src/sum/across.rs), in the same
 * order and of the same sizes, in single precision. `simulated.py` compiles it for SimGrid's simulated clusters; with mpicc it runs as well.
 *
 *     exchange PARAMETERS ROWS [costs]
 *
 * Prints the seconds of a sum of gradients over so many rows, the most subtrees that a rank hands over, and the most bytes that a rank
 * sends, as .ci/mpi_bytes.c counts them. With `costs` a sum of costs alone is added, as gradient descent has one in each epoch.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ONE_BLOCK = 512, BLOCK_ROWS = 240, LEAVES = 64, MOST_BLOCKS = 16 };                      /* sum/partition.rs */
enum { SMALL = 512, SMALL_OF_TWO = 1 << 16, SEGMENT = 1 << 22, PARTS = 16, FEW = 4, HEAD = 5 }; /* sum/across.rs, balance.rs */
enum { NUMBER = 4 /* bytes */ };

#ifdef SMPI_SHARED_MALLOC
#define BUFFER(bytes) SMPI_SHARED_MALLOC(bytes) /* what is sent does not matter: one memory for all simulated processes */
#else
#define BUFFER(bytes) malloc(bytes)
#endif

/* The same in all processes, and so shared by simulated ones. */
static int *subtrees;

static long leaves_of(long rows) {
  long blocks = rows <= ONE_BLOCK ? 1 : (rows + BLOCK_ROWS - 1) / BLOCK_ROWS, each = 1;
  while (each < (blocks + LEAVES - 1) / LEAVES && each < MOST_BLOCKS) each *= 2;
  return (blocks + each - 1) / each;
}

static long bound(long leaves, long rank, long size) {
  if (rank == 0) return 0;
  if (rank == size) return leaves;
  long even = leaves * rank / size, rest = leaves * rank % size;
  if (leaves < FEW * size) return even;
  long near = leaves / (2 * PARTS * size), low = even > near ? even - near : 0, high = even + (rest > 0);
  if (high < even + near) high = even + near;
  if (high > leaves) high = leaves;
  for (int power = 62; power >= 0; power--) {
    long aligned = high >> power << power;
    if (aligned >= low && aligned > 0) return aligned;
  }
  return even;
}

/* How many of the largest subtrees make up these leaves. */
static int count_subtrees(long leaves, long start, long end) {
  int count = 0;
  for (; start < end; count++) {
    long length = 1;
    for (long next = 2; start % next == 0 && (leaves < start + next ? leaves : start + next) <= end && next < 2 * leaves; next *= 2)
      length = next;
    start += length;
  }
  return count;
}

static void all_gather(char *own, const int *lengths, int *starts, char *all, int rank, int size) {
  for (int r = 0, next = 0; r < size; next += lengths[r++]) starts[r] = next;
  MPI_Allgatherv(own, lengths[rank], MPI_BYTE, all, lengths, starts, MPI_BYTE, MPI_COMM_WORLD);
}

/* The messages of a sum; those that this process sends have so many bytes. */
static long long sum(long parameters, int rank, int size, int *ints, char *out, char *in) {
  int *lengths = ints, *starts = ints + size, *from = ints + 2 * size, *from_starts = ints + 3 * size;
  long beside = parameters < (size == 2 ? SMALL_OF_TWO : SMALL) ? parameters : 0;
  for (int r = 0; r < size; r++) lengths[r] = 8 * HEAD + subtrees[r] * (8 * 2 + (int)beside * NUMBER); /* cost, weight */
  long long own = (long long)lengths[rank] * (size - 1);
  all_gather(out, lengths, starts, in, rank, size);
  for (long first = 0; beside < parameters && first < parameters; first += SEGMENT) {
    long segment = parameters - first < SEGMENT ? parameters - first : SEGMENT;
    int mine = (int)(segment * (rank + 1) / size - segment * rank / size) * NUMBER, next = 0, next_from = 0;
    for (int r = 0; r < size; r++) {
      lengths[r] = subtrees[rank] * (int)(segment * (r + 1) / size - segment * r / size) * NUMBER, from[r] = subtrees[r] * mine;
      starts[r] = next, from_starts[r] = next_from;
      next += lengths[r], next_from += from[r];
      own += r == rank ? 0 : lengths[r];
    }
    MPI_Alltoallv(out, lengths, starts, MPI_BYTE, in, from, from_starts, MPI_BYTE, MPI_COMM_WORLD);
    for (int r = 0; r < size; r++) lengths[r] = (int)(segment * (r + 1) / size - segment * r / size) * NUMBER;
    own += (long long)mine * (size - 1);
    all_gather(out, lengths, starts, in, rank, size);
  }
  return own;
}

int main(int count, char **arguments) {
  int rank, size, most = 0;
  MPI_Init(&count, &arguments);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (count < 3) MPI_Abort(MPI_COMM_WORLD, 2);
  long parameters = atol(arguments[1]), leaves = leaves_of(atol(arguments[2]));
  if (!subtrees) {
    subtrees = malloc(size * sizeof *subtrees);
    for (int r = 0; r < size; r++) subtrees[r] = count_subtrees(leaves, bound(leaves, r, size), bound(leaves, r + 1, size));
  }
  for (int r = 0; r < size; r++) most = most < subtrees[r] ? subtrees[r] : most;
  long all = 0; /* nodes of all ranks, for which there must be room */
  for (int r = 0; r < size; r++) all += subtrees[r];
  long segment = parameters < SEGMENT ? parameters : SEGMENT, slice = segment / size + 1;
  long beside = parameters < (size == 2 ? SMALL_OF_TWO : SMALL) ? parameters : 0;
  long heads = all * (16 + beside * NUMBER) + 8 * HEAD * size;
  long gathered = all * slice > segment ? all * slice : segment;
  char *out = BUFFER(heads + most * (segment + size) * NUMBER), *in = BUFFER(heads + gathered * NUMBER);
  int *ints = malloc(4 * size * sizeof *ints);

  MPI_Barrier(MPI_COMM_WORLD);
  double seconds = MPI_Wtime();
  long long bytes = sum(parameters, rank, size, ints, out, in);
  seconds = MPI_Wtime() - seconds;
  if (count > 3 && !strcmp(arguments[3], "costs")) bytes += sum(0, rank, size, ints, out, in);
  double slowest;
  long long largest;
  MPI_Reduce(&seconds, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  MPI_Reduce(&bytes, &largest, 1, MPI_LONG_LONG, MPI_MAX, 0, MPI_COMM_WORLD);
  if (rank == 0) printf("seconds %.9f subtrees %d bytes %lld\n", slowest, most, largest);
  MPI_Finalize();
  return 0;
}
