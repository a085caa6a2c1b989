//! `surefoot lab`

use surefoot_lab::{Lab, until_signal};
use surefoot_table::{Part, Source};

use crate::arguments;
use crate::output::{Ending, print_line};

pub fn run(arguments: &arguments::Lab) -> anyhow::Result<Ending> {
    if let Some(data) = &arguments.data {
        // what is wrong with it is said here, not on the page
        Source::new(data, Part::Training).table()?;
    }
    let lab = Lab::bind(&arguments.host, arguments.port, arguments.data.clone())?;
    if lab.is_shared() {
        eprintln!("warning: other machines can reach this page, if they have its address");
    }
    let url = lab.url();
    print_line(&url)?;
    if !arguments.no_browser && open::that_detached(&url).is_err() {
        eprintln!("warning: no browser could be opened; open the address yourself");
    }
    lab.serve(until_signal())?;
    Ok(Ending::Success)
}
