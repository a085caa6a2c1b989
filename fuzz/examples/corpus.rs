//! Writes the corpus: small files of every kind.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;

use serde_json::json;
use surefoot::{
    Activation, Loss, Model, Network, Observer, Parameters, Scalar, Scaling, Sparsity, TrainingState, draw_defaults,
};
use surefoot_fuzz::runs;

struct After(u64);

impl<T: Scalar> Observer<T> for After {
    fn step(&mut self, state: &TrainingState<T>) -> ControlFlow<()> {
        if state.steps() == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn checkpoints<T: Scalar>() {
    for (i, run) in runs::<T>().into_iter().enumerate() {
        for steps in [0, 1, 3] {
            let start = draw_defaults(&run.network, 1);
            let mut state = run.training.start(&run.problem(), start).unwrap();
            if steps > 0 {
                let mut after = After(steps);
                run.training.resume_with(&run.problem(), &mut state, &mut after).unwrap();
            }
            let path = format!("corpus/checkpoint/{}-{i}-{steps}", T::NAME);
            state.save(path, &[T::from_f64(0.5)][..(steps > 1).into()], &json!({"data": [1, null]})).unwrap();
        }
    }
}

fn main() {
    for kind in ["model", "checkpoint", "table", "idx", "numpy"] {
        fs::create_dir_all(format!("corpus/{kind}")).unwrap();
    }
    checkpoints::<f32>();
    checkpoints::<f64>();

    let network = Network::new(2, &[(3, Activation::Sigmoid), (2, Activation::Softmax)]).unwrap();
    let theta: Vec<f32> = draw_defaults(&network, 1);
    let wide = theta.iter().copied().map(f64::from).collect::<Vec<_>>();
    for (name, parameters) in [("f32", Parameters::from(theta)), ("f64", wide.into())] {
        let mut model = Model::new(network.clone(), parameters, Loss::CrossEntropy, 0.1).unwrap();
        model.save(format!("corpus/model/{name}")).unwrap();
        model.sparsity = Some(Sparsity { target: 0.1, weight: 3.0 });
        model.input_scaling = Some(Scaling { centre: vec![1.0, 2.0], scale: vec![0.5, -3.0], limit: Some(3.0) });
        model.input_columns = vec!["a".into(), "b".into()];
        model.target_columns = vec!["y".into()];
        model.classes = vec!["no".into(), "yes".into()];
        model.training = json!({"seed": 3});
        model.save(format!("corpus/model/{name}-full")).unwrap();
    }

    let tables = [
        ("numbers", "a,b,y\n1,2,3.5\n-1e3,.5,0\n"),
        ("classes", "\u{feff}a,y\r\n1,\"u, v\"\r\n2,w\r\n3,w\r\n"),
        ("quotes", "a,y\n\"1\n\",\"x\"\"y\"\n2,z\n"),
        ("gaps", "a,y\n\n1,u\n\n,v\nNaN,inf\n"),
        ("one", "y\n1\n2\n"),
        ("semicolons", "sep=;\na;b;y\n1,5;x;u\n1.234,5;;v\n2 %;x;u\n"),
        ("kinds", "id,a,b,c,y\n1,x,yes,1.5,2\n2,y,no,?,3\n3,x,yes,NA,4.5\n4,z,no,$2.50,1\n"),
        ("spaces", "a, b, y\n1, \"u, v\", x\n2, w, z\n"),
    ];
    for (name, text) in tables {
        fs::write(format!("corpus/table/{name}"), text).unwrap();
    }
    let kinds: [(u8, usize); 6] = [(8, 1), (9, 1), (11, 2), (12, 4), (13, 4), (14, 8)];
    for (kind, size) in kinds {
        let mut bytes = vec![0, 0, kind, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3];
        bytes.extend((0..6 * size).map(|i| i as u8));
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&bytes).unwrap();
        fs::write(format!("corpus/idx/{kind}"), bytes).unwrap();
        fs::write(format!("corpus/idx/{kind}.gz"), packed.finish().unwrap()).unwrap();
    }
    // a little array of NumPy, and an archive of two
    let npy = |shape: &str, numbers: &[f64]| {
        let mut head = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        head += &" ".repeat(63 - (10 + head.len()) % 64);
        head.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((head.len() as u16).to_le_bytes());
        bytes.extend(head.bytes());
        numbers.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
        bytes
    };
    fs::write("corpus/numpy/matrix.npy", npy("(2, 3)", &[1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0])).unwrap();
    fs::write("corpus/numpy/vector.npy", npy("(2,)", &[1.0, 2.0])).unwrap();
}
