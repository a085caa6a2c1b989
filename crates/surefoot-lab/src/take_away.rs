//! What a session gives away: the model, the report, and the lines that make the same bits.

use serde_json::{Value, json};
use surefoot_fit::Options;
use surefoot_report::TrainingReport;

use crate::error::{Error, Result};
use crate::session::Session;

/// The options of so many epochs.
fn options(session: &Session, epochs: usize) -> Options {
    let mut options = session.options.clone();
    options.epochs = Some(epochs);
    options
}

/// The epochs that a model is of: those that are whole.
fn epochs(session: &Session) -> Result<usize> {
    match session.epochs() {
        0 => Err(Error::request("epochs", "at least one whole epoch", 0)),
        epochs => Ok(epochs),
    }
}

/// The bytes of the model file, as the command writes it.
pub(crate) fn model(session: &Session) -> Result<Vec<u8>> {
    Ok(session.outcome(epochs(session)?)?.model.to_bytes()?)
}

/// The page about the training.
pub(crate) fn report(session: &Session) -> Result<String> {
    let epochs = epochs(session)?;
    let outcome = session.outcome(epochs)?;
    let command = command(session, epochs);
    let report = TrainingReport::new(&session.tables.table, &outcome, &command);
    let report = report.ok_or_else(|| Error::request("data", "a table", "a matrix"))?;
    Ok(session.data.without_path(report.page().as_str()))
}

/// The lines that make the model again.
pub(crate) fn lines(session: &Session) -> Result<Value> {
    let epochs = epochs(session)?;
    let command = command(session, epochs);
    let words: Vec<String> = words(session, epochs).iter().map(|word| json!(word).to_string()).collect();
    let python = format!(
        "import subprocess\nimport surefoot\n\nsubprocess.run([{}], check=True)\nmodel = surefoot.load(\"lab.safetensors\")\n",
        words.join(", ")
    );
    let toml = options(session, epochs).to_toml()?;
    let rust = format!(
        "use surefoot_fit::{{Input, Options, Tables, fit}};\n\nlet options: Options = r#\"\n{toml}\"#.parse()?;\n\
         let tables = Tables::read({}, &options)?;\nlet outcome = fit(&options, Input::Tables(&tables), &mut ())?;\n\
         outcome.model.save(\"lab.safetensors\")?;\n",
        json!(session.data.name)
    );
    Ok(json!({
        "epochs": epochs, "command": command, "python": python, "rust": rust, "toml": toml,
        "needs_data": session.data.text().is_some().then_some(&session.data.name),
    }))
}

/// `surefoot train` with what was chosen, as a line for a shell.
fn command(session: &Session, epochs: usize) -> String {
    words(session, epochs).iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn words(session: &Session, epochs: usize) -> Vec<String> {
    let options = options(session, epochs);
    let mut words: Vec<String> = ["surefoot", "train", &session.data.name].map(String::from).into();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([format!("--{name}"), value]);
        }
    };
    fn text<T: ToString>(value: Option<T>) -> Option<String> {
        value.map(|value| value.to_string())
    }
    add("target", options.target.clone());
    let hidden = options.hidden.as_ref().map(|units| units.iter().map(usize::to_string).collect::<Vec<_>>().join(","));
    add("hidden", hidden.map(|hidden| if hidden.is_empty() { "none".into() } else { hidden }));
    add("activation", text(options.activation.as_ref()));
    add("output-activation", text(options.output_activation));
    add("loss", text(options.loss));
    add("weight-decay", text(options.weight_decay));
    add("sparsity", text(options.sparsity));
    add("optimizer", Some(options.optimizer.to_string()));
    add("learning-rate", text(options.learning_rate));
    add("parametrization", text(options.parametrization));
    add("batch-size", text(options.batch_size));
    add("init", text(options.initialization));
    let validation = options.validation.as_ref().map(|holdout| json!(holdout).to_string());
    add("validation", validation);
    add("patience", text(options.patience));
    add("epochs", text(options.epochs));
    add("seed", Some(options.seed.to_string()));
    add("out", Some("lab.safetensors".into()));
    if options.autoencoder {
        words.push("--autoencoder".into());
    }
    words
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./,:=+".contains(c));
    if is_plain { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_cannot_leave_its_quotes() {
        assert_eq!(quoted("xor.csv"), "xor.csv");
        assert_eq!(quoted("Größe in m²"), "'Größe in m²'");
        assert_eq!(quoted("a'; rm -rf ~"), r"'a'\''; rm -rf ~'");
    }
}
