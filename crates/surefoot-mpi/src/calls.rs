//! The functions of an MPI library, in the two binary interfaces that there are.
//!
//! Open MPI's handles are the addresses of objects that it exports; those of MPICH, and of what has its binary interface, are numbers.
//! Both are as the headers of Open MPI 4.1 and MPICH 4.0 have them.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::ptr;

use libloading::Library;

/// Calls come from one thread at a time.
const SERIALIZED: c_int = 2;
/// Longer than any name of a machine or of a library: MPICH's limit for its version is 8,192.
const NAME: usize = 16_384;

/// What is called. A call that fails ends the process, as MPI does unless it is told otherwise.
pub(crate) trait Calls: Send + Sync {
    /// Starts MPI in this process; whether it allows calls from changing threads.
    fn init(&self) -> bool;
    fn rank(&self) -> usize;
    fn size(&self) -> usize;
    /// The name of this machine.
    fn machine(&self) -> String;
    fn all_gather(&self, own: &[u8], lengths: &[c_int], starts: &[c_int], all: &mut [u8]);
    fn all_to_all(&self, parts: &[u8], to: [&[c_int]; 2], from: [&[c_int]; 2], received: &mut [u8]);
    /// MPI's own sum, in its own order.
    fn all_reduce(&self, numbers: &mut [f32]);
    fn finalize(&self);
    fn abort(&self, status: c_int);
}

/// An opened library.
pub(crate) struct Opened {
    pub calls: Box<dyn Calls>,
    /// As `Open MPI v4.1.4`.
    pub version: String,
}

/// Opens a library; whatever else it needs is looked for by its own rules.
///
/// # Errors
/// Why it cannot be opened, or that it is no MPI library of these kinds.
pub(crate) fn open(path: &Path) -> Result<Opened, String> {
    let library = load(path).map_err(|error| error.to_string())?;
    let version = version(&library)?;
    let open_mpi = |name: &[u8]| address(&library, name);
    let calls: Box<dyn Calls> = match open_mpi(b"ompi_mpi_comm_world\0") {
        Ok(world) => {
            let [byte, float] = [open_mpi(b"ompi_mpi_byte\0")?, open_mpi(b"ompi_mpi_float\0")?];
            let sum = open_mpi(b"ompi_mpi_op_sum\0")?;
            let handles = [world, byte, float, sum].map(Handle);
            Box::new(Functions::load(library, handles)?)
        }
        Err(_) if is_like_mpich(&version) => {
            const HANDLES: [c_int; 4] = [0x4400_0000, 0x4c00_010d, 0x4c00_040a, 0x5800_0003];
            Box::new(Functions::load(library, HANDLES)?)
        }
        Err(_) => return Err(format!("neither Open MPI nor like MPICH: {version}")),
    };
    Ok(Opened { calls, version })
}

/// With its symbols among the global ones, where the components of Open MPI look for them.
#[cfg(unix)]
fn load(path: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: this runs the initializers of the library, which the user or the launcher has named.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) }.map(Into::into)
}

#[cfg(not(unix))]
fn load(path: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: as above.
    unsafe { Library::new(path) }
}

fn is_like_mpich(version: &str) -> bool {
    ["MPICH", "Intel(R) MPI", "MVAPICH", "CRAY"].iter().any(|name| version.contains(name))
}

/// An address in Open MPI.
#[repr(transparent)]
#[derive(Clone, Copy)]
struct Handle(*const c_void);

// SAFETY: the object behind it is the library's, which is called by one thread at a time.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

type Counts = *const c_int;

/// The functions of MPI with handles of this kind.
struct Functions<H> {
    init_thread: unsafe extern "C" fn(*mut c_int, *mut *mut *mut c_char, c_int, *mut c_int) -> c_int,
    comm_rank: unsafe extern "C" fn(H, *mut c_int) -> c_int,
    comm_size: unsafe extern "C" fn(H, *mut c_int) -> c_int,
    get_processor_name: unsafe extern "C" fn(*mut c_char, *mut c_int) -> c_int,
    allgatherv: unsafe extern "C" fn(*const c_void, c_int, H, *mut c_void, Counts, Counts, H, H) -> c_int,
    alltoallv: unsafe extern "C" fn(*const c_void, Counts, Counts, H, *mut c_void, Counts, Counts, H, H) -> c_int,
    allreduce: unsafe extern "C" fn(*const c_void, *mut c_void, c_int, H, H, H) -> c_int,
    finalize: unsafe extern "C" fn() -> c_int,
    abort: unsafe extern "C" fn(H, c_int) -> c_int,
    /// The communicator of all processes, the types of a byte and of a single-precision number, and the sum.
    world: H,
    byte: H,
    float: H,
    sum: H,
    _library: Library,
}

impl<H: Copy> Functions<H> {
    fn load(library: Library, [world, byte, float, sum]: [H; 4]) -> Result<Self, String> {
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the function of this name has these arguments in MPI 3.1, with handles of this kind.
                *unsafe { library.get($name) }.map_err(|error| error.to_string())?
            };
        }
        Ok(Functions {
            init_thread: function!(b"MPI_Init_thread\0"),
            comm_rank: function!(b"MPI_Comm_rank\0"),
            comm_size: function!(b"MPI_Comm_size\0"),
            get_processor_name: function!(b"MPI_Get_processor_name\0"),
            allgatherv: function!(b"MPI_Allgatherv\0"),
            alltoallv: function!(b"MPI_Alltoallv\0"),
            allreduce: function!(b"MPI_Allreduce\0"),
            finalize: function!(b"MPI_Finalize\0"),
            abort: function!(b"MPI_Abort\0"),
            world,
            byte,
            float,
            sum,
            _library: library,
        })
    }

    fn number(&self, function: unsafe extern "C" fn(H, *mut c_int) -> c_int) -> usize {
        let mut number = 0;
        // SAFETY: it writes one number.
        unsafe { function(self.world, &raw mut number) };
        usize::try_from(number).unwrap_or(0)
    }
}

impl<H: Copy + Send + Sync> Calls for Functions<H> {
    fn init(&self) -> bool {
        let mut provided = 0;
        // SAFETY: arguments of the program may be left out since MPI 2.
        unsafe { (self.init_thread)(ptr::null_mut(), ptr::null_mut(), SERIALIZED, &raw mut provided) };
        provided >= SERIALIZED
    }

    fn rank(&self) -> usize {
        self.number(self.comm_rank)
    }

    fn size(&self) -> usize {
        self.number(self.comm_size)
    }

    fn machine(&self) -> String {
        text(self.get_processor_name)
    }

    fn all_gather(&self, own: &[u8], lengths: &[c_int], starts: &[c_int], all: &mut [u8]) {
        assert!(lengths.len() == self.size() && starts.len() == self.size());
        assert!(lengths.iter().zip(starts).all(|(length, start)| (start + length) as usize <= all.len()));
        // SAFETY: `all` has room for the bytes of each process.
        unsafe {
            (self.allgatherv)(
                own.as_ptr().cast(),
                own.len() as c_int,
                self.byte,
                all.as_mut_ptr().cast(),
                lengths.as_ptr(),
                starts.as_ptr(),
                self.byte,
                self.world,
            )
        };
    }

    fn all_to_all(&self, parts: &[u8], to: [&[c_int]; 2], from: [&[c_int]; 2], received: &mut [u8]) {
        for (counts, length) in [(to, parts.len()), (from, received.len())] {
            assert!(counts.iter().all(|counts| counts.len() == self.size()));
            assert!(counts[0].iter().zip(counts[1]).all(|(count, start)| (start + count) as usize <= length));
        }
        // SAFETY: all parts are within `parts`, and what comes is within `received`.
        unsafe {
            (self.alltoallv)(
                parts.as_ptr().cast(),
                to[0].as_ptr(),
                to[1].as_ptr(),
                self.byte,
                received.as_mut_ptr().cast(),
                from[0].as_ptr(),
                from[1].as_ptr(),
                self.byte,
                self.world,
            )
        };
    }

    fn all_reduce(&self, numbers: &mut [f32]) {
        let own = numbers.to_vec();
        // SAFETY: both have as many numbers as it says.
        unsafe {
            (self.allreduce)(
                own.as_ptr().cast(),
                numbers.as_mut_ptr().cast(),
                own.len() as c_int,
                self.float,
                self.sum,
                self.world,
            )
        };
    }

    fn finalize(&self) {
        // SAFETY: nothing of MPI is called after it.
        unsafe { (self.finalize)() };
    }

    fn abort(&self, status: c_int) {
        // SAFETY: it ends the processes of the job.
        unsafe { (self.abort)(self.world, status) };
    }
}

/// The version that a library gives, which may be asked for before anything else.
fn version(library: &Library) -> Result<String, String> {
    // SAFETY: the function of this name has these arguments since MPI 3.0.
    let function = unsafe { library.get::<TextFunction>(b"MPI_Get_library_version\0") };
    let version = text(*function.map_err(|error| error.to_string())?);
    let first = version.lines().next().unwrap_or_default().split(',').next().unwrap_or_default();
    // MPICH's is a table: `MPICH Version:	4.0.2`
    Ok(first.split_whitespace().filter(|word| *word != "Version:").collect::<Vec<_>>().join(" "))
}

type TextFunction = unsafe extern "C" fn(*mut c_char, *mut c_int) -> c_int;

fn text(function: TextFunction) -> String {
    let (mut bytes, mut length) = (vec![0u8; NAME], 0);
    // SAFETY: it writes a name, shorter than the longest that the library may give, and its length.
    unsafe { function(bytes.as_mut_ptr().cast(), &raw mut length) };
    bytes.truncate(usize::try_from(length).unwrap_or(0));
    String::from_utf8_lossy(&bytes).trim_end_matches('\0').into()
}

/// Where an object of the library is.
fn address(library: &Library, name: &[u8]) -> Result<*const c_void, String> {
    // SAFETY: only the address is taken.
    let symbol = unsafe { library.get::<*const c_void>(name) };
    symbol.map(|symbol| *symbol).map_err(|error| error.to_string())
}
