//! The program. Everything it does is in the library's `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    forgeos_worker::cli::main()
}
