/* Counts the bytes that this rank hands to MPI's collectives: a profiling library that the program opens in the place of MPI's. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
static long long sent = 0, calls = 0;
int MPI_Allgatherv(const void *s, int n, MPI_Datatype t, void *r, const int c[], const int d[], MPI_Datatype rt, MPI_Comm w) {
  int size; PMPI_Comm_size(w, &size); sent += (long long)n * (size - 1); calls++;
  return PMPI_Allgatherv(s, n, t, r, c, d, rt, w);
}
int MPI_Alltoallv(const void *s, const int c[], const int d[], MPI_Datatype t, void *r, const int rc[], const int rd[], MPI_Datatype rt, MPI_Comm w) {
  int size, me; PMPI_Comm_size(w, &size); PMPI_Comm_rank(w, &me);
  for (int i = 0; i < size; i++) if (i != me) sent += c[i];
  calls++;
  return PMPI_Alltoallv(s, c, d, t, r, rc, rd, rt, w);
}
int MPI_Finalize(void) {
  int me; PMPI_Comm_rank(MPI_COMM_WORLD, &me);
  fprintf(stderr, "rank %d: %lld bytes in %lld calls\n", me, sent, calls);
  return PMPI_Finalize();
}
