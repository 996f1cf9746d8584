//! The suite against an S3 server that others wrote.

use forgeos_tests::Moto;

use crate::{Server, five_buckets, names_a_missing_bucket_and_wrong_keys, one_bucket_with_a_prefix};

#[tokio::test]
#[ignore = "needs moto's S3 server"]
async fn five_buckets_of_another_server_conform() {
    five_buckets(Server::Moto(Moto::start())).conforms().await;
}

#[tokio::test]
#[ignore = "needs moto's S3 server"]
async fn one_bucket_of_another_server_with_a_prefix_conforms() {
    one_bucket_with_a_prefix(Server::Moto(Moto::start())).conforms().await;
}

#[tokio::test]
#[ignore = "needs moto's S3 server"]
async fn another_server_names_a_missing_bucket_and_wrong_keys() {
    names_a_missing_bucket_and_wrong_keys(&Server::Moto(Moto::start())).await;
}
