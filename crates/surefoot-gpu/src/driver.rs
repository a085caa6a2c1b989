//! The driver of the GPU: its functions, its memory and its errors.

#![allow(unsafe_code)] // calls of the driver, and numbers of memory that is written before it is read

use std::sync::Arc;

use cudarc::driver::sys::CUdevice_attribute_enum as Attribute;
use cudarc::driver::{CudaContext, CudaFunction, CudaSlice, CudaStream, DevicePtr, DeviceRepr, DriverError};
use cudarc::driver::{LaunchConfig, PushKernelArg, sys};
use cudarc::nvrtc::Ptx;
use surefoot::{Error, Result};

use crate::layout::Launch;

/// The kernels, compiled for Turing; the driver compiles them for the GPU that is there, and keeps that.
const PTX: &str = include_str!("../kernels/surefoot.ptx");
/// Threads of a block.
const THREADS: u32 = 256;
/// Bytes that a block of threads shares: two operands of the largest tile, twice.
const SHARED: u32 = 4 * 16 * 132 * 4;

/// The first GPU with the kernels.
#[derive(Debug)]
pub(crate) struct Driver {
    context: Arc<CudaContext>,
    train: CudaFunction,
    name: String,
    /// Blocks of threads that are there at the same time.
    blocks: usize,
}

const NO_GPU: &str = "--device cpu, or auto, trains without one; `nvidia-smi` shows what the driver sees";

fn failed(what: &str, error: DriverError) -> Error {
    Error::Device { what: format!("the GPU: {what}: {error}"), hint: NO_GPU }
}

impl Driver {
    pub fn open() -> Result<Self> {
        let none = |what: &str| Error::Device { what: what.into(), hint: NO_GPU };
        // SAFETY: opening the library of the driver runs no code of it but its own start.
        if !unsafe { sys::is_culib_present() } {
            return Err(none("no GPU: the driver of NVIDIA (libcuda) is not there"));
        }
        let context = CudaContext::new(0).map_err(|error| failed("cannot be opened", error))?;
        // SAFETY: each work has one stream, and nothing is shared between works, so no event is needed to keep order.
        unsafe { context.disable_event_tracking() };
        let attribute = |attribute| context.attribute(attribute).map_err(|error| failed("cannot be asked", error));
        let (major, minor) = context.compute_capability().map_err(|error| failed("cannot be asked", error))?;
        let name = context.name().map_err(|error| failed("cannot be asked", error))?;
        if (major, minor) < (7, 5) {
            return Err(none(&format!("{name}: compute capability 7.5 is needed, it has {major}.{minor}")));
        }
        if attribute(Attribute::CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH)? == 0 {
            return Err(none(&format!("{name}: blocks of threads cannot wait for each other")));
        }
        let module = context.load_module(Ptx::from_src(PTX)).map_err(|error| failed("refuses the kernels", error))?;
        let train = module.load_function("surefoot_train").map_err(|error| failed("refuses the kernels", error))?;
        let multiprocessors = attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        let at_once = train
            .occupancy_max_active_blocks_per_multiprocessor(THREADS, SHARED as usize, None)
            .map_err(|error| failed("cannot be asked", error))?;
        let blocks = (multiprocessors.max(1) as usize) * (at_once.max(1) as usize);
        Ok(Driver { context, train, name, blocks })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Blocks of threads that are there at the same time.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Bytes that are free.
    pub fn free(&self) -> Result<usize> {
        Ok(self.context.mem_get_info().map_err(|error| failed("cannot be asked", error))?.0)
    }

    /// A queue of what is done one after the other.
    pub fn queue(self: &Arc<Self>) -> Result<Queue> {
        let stream = self.context.new_stream().map_err(|error| failed("has no stream", error))?;
        Ok(Queue { driver: self.clone(), stream })
    }
}

/// What is done one after the other.
#[derive(Debug)]
pub(crate) struct Queue {
    driver: Arc<Driver>,
    stream: Arc<CudaStream>,
}

impl Queue {
    /// Memory for so many numbers, which are to be written before they are read.
    pub fn memory<T: DeviceRepr>(&self, length: usize) -> Result<Memory<T>> {
        // SAFETY: the plan of a launch writes each number before it reads it, as the emulator shows, where memory begins as NaN.
        let slice = unsafe { self.stream.alloc::<T>(length.max(1)) }.map_err(|error| self.out_of_memory(error))?;
        let pointer = slice.device_ptr(&self.stream).0;
        Ok(Memory { slice, pointer })
    }

    /// Makes memory that is too short for so many numbers longer; what was there is lost.
    pub fn grow<T: DeviceRepr>(&self, memory: &mut Memory<T>, length: usize) -> Result<()> {
        if memory.slice.len() < length {
            *memory = self.memory(length)?;
        }
        Ok(())
    }

    /// Memory with these numbers.
    pub fn filled<T: DeviceRepr>(&self, numbers: &[T]) -> Result<Memory<T>> {
        let mut memory = self.memory(numbers.len())?;
        self.write(numbers, &mut memory, 0)?;
        Ok(memory)
    }

    /// Writes numbers, from a place on.
    pub fn write<T: DeviceRepr>(&self, numbers: &[T], to: &mut Memory<T>, first: usize) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let mut part = to.slice.slice_mut(first..first + numbers.len());
        self.stream.memcpy_htod(numbers, &mut part).map_err(|error| failed("takes no data", error))
    }

    /// Reads the first numbers, after all that was asked for before.
    pub fn read<T: DeviceRepr>(&self, from: &Memory<T>, numbers: &mut [T]) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let part = from.slice.slice(0..numbers.len());
        self.stream.memcpy_dtoh(&part, numbers).map_err(|error| failed("gives no data", error))?;
        self.stream.synchronize().map_err(|error| failed("has failed", error))
    }

    /// Runs the ops of a launch by so many blocks of threads.
    pub fn launch(&self, launch: &Launch, blocks: usize) -> Result<()> {
        let config = LaunchConfig {
            grid_dim: (blocks.clamp(1, self.driver.blocks) as u32, 1, 1),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: SHARED,
        };
        // SAFETY: the kernel takes this structure, whose pointers are of memory that lives until the queue is done.
        unsafe { self.stream.launch_builder(&self.driver.train).arg(launch).launch_cooperative(config) }
            .map_err(|error| failed("does not start", error))?;
        Ok(())
    }

    fn out_of_memory(&self, error: DriverError) -> Error {
        match error.0 {
            sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => Error::Device {
                what: format!("out of memory on {}: others have taken what was free before", self.driver.name),
                hint: "end other programs on this GPU, or train with --device cpu",
            },
            _ => failed("has no memory", error),
        }
    }
}

/// Numbers in the memory of the GPU.
#[derive(Debug)]
pub(crate) struct Memory<T> {
    slice: CudaSlice<T>,
    pointer: u64,
}

impl<T> Memory<T> {
    /// Where they are, for a kernel.
    pub fn pointer(&self) -> u64 {
        self.pointer
    }
}
