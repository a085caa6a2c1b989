//! `surefoot completions` and `surefoot man`: what shells and `man` know of this program, from its own arguments.

use std::io::{self, Write};

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::arguments::{Arguments, Completions, ManPages};
use crate::output::{Ending, print_line};

/// Writes the completions of a shell to standard output.
pub fn run(arguments: &Completions) -> anyhow::Result<Ending> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "surefoot", &mut script);
    let mut out = io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Ending::Success)
}

/// Writes a manual page for the program and one for each of its commands into a folder.
pub fn man(arguments: &ManPages) -> anyhow::Result<Ending> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut program = Arguments::command();
    program.build(); // gives every command its arguments and its whole name
    let commands = program.get_subcommands().filter(|command| command.get_name() != "help").cloned();
    let mut pages: Vec<Command> = commands.collect();
    pages.push(program);
    for page in pages {
        // the page of `surefoot train` is surefoot-train(1)
        let path = folder.join(format!("{}.1", page.get_display_name().unwrap_or("surefoot")));
        let mut text = Vec::new();
        Man::new(page).render(&mut text)?;
        surefoot::files::write_atomically(&path, &text)?;
        print_line(path.display())?;
    }
    Ok(Ending::Success)
}
